//! The table and the budgets.

use std::fmt::Write as _;
use std::time::Duration;

use crate::contender::{Contender, Role};
use crate::measure::Usage;

/// CPU time of a case, as a multiple of the raw loop's.
const CPU_RATIO: f64 = 8.0;
/// Peak memory at 20,000 cases, as a multiple of that at 2,000.
const MEMORY_RATIO: f64 = 1.1;
/// Cases that are judged again in a second.
const VERIFY_RATE: f64 = 5_000.0;

/// The medians of all contenders, then what became of each budget.
pub fn render(contenders: &[Contender], samples: &[Vec<Usage>]) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "\n{:<32} {:>6} {:>9} {:>9} {:>12} {:>9} {:>9}",
        "median of interleaved rounds", "cases", "wall ms", "CPU ms", "CPU µs/case", "cases/s", "peak MiB"
    );
    for (contender, samples) in contenders.iter().zip(samples) {
        let wall = median(samples, |usage| seconds(usage.wall));
        let cpu = median(samples, |usage| seconds(usage.cpu));
        let cases = count(contender.cases);
        let _ = writeln!(
            out,
            "{:<32} {:>6} {:>9.0} {:>9.0} {:>12.1} {:>9.0} {:>9.1}",
            contender.name,
            contender.cases,
            wall * 1e3,
            cpu * 1e3,
            cpu * 1e6 / cases,
            cases / wall,
            median(samples, |usage| count(usage.peak_kib)) / 1024.0,
        );
    }
    let table = Table { contenders, samples };
    let cpu = |usage: &Usage, cases: f64| seconds(usage.cpu) / cases;
    let wall = |usage: &Usage, _: f64| seconds(usage.wall);
    let memory = |usage: &Usage, _: f64| count(usage.peak_kib);
    out.push('\n');
    budget(&mut out, "CPU of a case / reqwest loop", table.ratio(Role::Run, Role::Raw, cpu), Limit::AtMost(CPU_RATIO));
    budget(&mut out, "wall time / hurl without reports", table.ratio(Role::Run, Role::Hurl, wall), Limit::AtMost(1.0));
    budget(
        &mut out,
        "peak memory, 20,000 rows / 2,000",
        table.ratio(Role::RowsMany, Role::Rows, memory),
        Limit::AtMost(MEMORY_RATIO),
    );
    for (what, role) in
        [("verify, 2,000 cases: cases/s", Role::Verify), ("verify, 20,000 rows: cases/s", Role::VerifyMany)]
    {
        budget(&mut out, what, table.rate(role), Limit::AtLeast(VERIFY_RATE));
    }
    out
}

enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

fn budget(out: &mut String, what: &str, value: Option<f64>, limit: Limit) {
    let Some(value) = value else {
        let _ = writeln!(out, "{what:<34} not measured");
        return;
    };
    let (kept, sign, bound) = match limit {
        Limit::AtMost(bound) => (value <= bound, "≤", bound),
        Limit::AtLeast(bound) => (value >= bound, "≥", bound),
    };
    let digits = if bound < 100.0 { 2 } else { 0 };
    let verdict = if kept { "PASS" } else { "MISS" };
    let _ = writeln!(out, "{what:<34} {value:>9.digits$}  (budget {sign} {bound})  {verdict}");
}

struct Table<'a> {
    contenders: &'a [Contender],
    samples: &'a [Vec<Usage>],
}

impl Table<'_> {
    fn of(&self, role: Role) -> Option<(&Contender, &[Usage])> {
        let at = self.contenders.iter().position(|contender| contender.role == role)?;
        Some((&self.contenders[at], &self.samples[at]))
    }

    /// Median over the rounds of the ratio within a round: what disturbs a round disturbs both.
    fn ratio(&self, role: Role, base: Role, value: fn(&Usage, f64) -> f64) -> Option<f64> {
        let ((own, samples), (base, base_samples)) = (self.of(role)?, self.of(base)?);
        let pairs: Vec<_> = samples.iter().zip(base_samples).collect();
        Some(median(&pairs, |(usage, other)| value(usage, count(own.cases)) / value(other, count(base.cases))))
    }

    fn rate(&self, role: Role) -> Option<f64> {
        let (contender, samples) = self.of(role)?;
        Some(median(samples, |usage| count(contender.cases) / seconds(usage.wall)))
    }
}

fn median<T>(values: &[T], number: impl Fn(&T) -> f64) -> f64 {
    let mut numbers: Vec<f64> = values.iter().map(number).collect();
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    if numbers.len() % 2 == 1 { numbers[middle] } else { (numbers[middle - 1] + numbers[middle]) / 2.0 }
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

/// A count as a number to calculate with; all counts here are far below 2^52.
fn count<N: TryInto<u32>>(number: N) -> f64 {
    number.try_into().map_or(f64::NAN, f64::from)
}
