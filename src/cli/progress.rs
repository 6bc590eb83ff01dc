//! Live progress: a bar on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::capability::Outcome;
use crate::engine::RunEvent;

use crate::text::one_line;

use super::context::{Context, Paint};
use super::verdict::paint;

/// Consumer of run events for people.
pub struct Progress {
    bar: Option<ProgressBar>,
    total: usize,
    done: usize,
    not_passed: usize,
}

impl Progress {
    /// A display for a known number of cases.
    #[must_use]
    pub fn new(context: &Context, total: usize) -> Self {
        let bar = context.live.then(|| {
            let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, total, done: 0, not_passed: 0 }
    }

    /// Shows an event.
    pub fn event(&mut self, context: &Context, event: &RunEvent) {
        match event {
            RunEvent::CaseStarted { id } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(id.clone());
                }
            }
            RunEvent::CaseDone(done) => {
                self.done += 1;
                let outcome = done.result.outcome;
                if outcome != Outcome::Pass {
                    self.not_passed += 1;
                }
                let quiet = matches!(outcome, Outcome::Pass | Outcome::Skip | Outcome::NotRun) && !done.flaky;
                if !quiet {
                    let word = context.talk(paint(outcome), &format!("{outcome:<5}"));
                    self.line(context, format!("{word} {}", done.id));
                }
                if let Some(bar) = &self.bar {
                    bar.inc(1);
                } else if self.done.is_multiple_of(100.max(self.total / 10)) && self.done < self.total {
                    context.tell(format!("{} of {} cases, {} not passed", self.done, self.total, self.not_passed));
                }
            }
            RunEvent::Planned { text, good: true } => self.line(context, format!("  {}", one_line(text))),
            RunEvent::Planned { text, good: false } => {
                self.line(context, format!("  {} {}", context.talk(Paint::Doubt, "missing:"), one_line(text)));
            }
            RunEvent::Warning(text) => self.line(context, format!("{} {text}", context.talk(Paint::Doubt, "warning:"))),
            _ => {}
        }
    }

    fn line(&self, context: &Context, text: String) {
        match &self.bar {
            Some(bar) => bar.suspend(|| context.tell(text)),
            None => context.tell(text),
        }
    }

    /// Removes the bar.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
