//! Lints suite files.
fn main() {
    let problems = assize::suite::lint_files(std::env::args().skip(1));
    println!("{}", problems.render(false));
    println!("{} problem(s)", problems.len());
    std::process::exit(i32::from(problems.has_errors()));
}
