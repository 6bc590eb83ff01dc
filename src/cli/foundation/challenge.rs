//! `assize challenge`: a nonce for a run that is to be admitted.

use jiff::{SignedDuration, Timestamp};

use super::args::ChallengeArgs;
use crate::cli::context::Context;
use crate::cli::exit::{CliError, Exit};
use crate::ledger::{Challenge, Document as _, Ledger, is_slug};

/// Makes a nonce and adds its file to the ledger.
///
/// # Errors
/// When an id cannot be one, or the file cannot be written.
pub fn challenge(context: &Context, args: &ChallengeArgs) -> Result<Exit, CliError> {
    let ledger = Ledger::open(&args.ledger).map_err(CliError::input)?;
    for id in [Some(&args.vendor), Some(&args.product), args.version.as_ref()].into_iter().flatten() {
        if !is_slug(id) {
            return Err(CliError::new(Exit::Usage, format!("`{id}` is no id of a ledger"))
                .hint("lower-case letters, digits, dots and hyphens, as in the product record"));
        }
    }
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| CliError::new(Exit::Bug, format!("no random bytes: {error}")))?;
    let nonce: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let issued = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or(Timestamp::UNIX_EPOCH);
    let expires = issued + SignedDuration::from_hours(24 * i64::from(args.days));
    let path = ledger.challenge_file(&nonce);
    let version = args.version.as_ref().map_or(String::new(), |version| format!("version: \"{version}\"\n"));
    let text = format!(
        "format: {}\nnonce: \"{nonce}\"\nvendor: \"{}\"\nproduct: \"{}\"\n{version}issued: {issued}\nexpires: {expires}\n",
        Challenge::FORMAT,
        args.vendor,
        args.product
    );
    let failed = |error: std::io::Error| CliError::input(format!("cannot write `{}`: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(&path, text).map_err(failed)?;
    context.say(&nonce);
    context.tell(format!("{}: until {expires}, run with\n    assize run TARGET --seed {nonce}", path.display()));
    Ok(Exit::Ok)
}
