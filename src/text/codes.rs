//! Tables of stable codes, each with the rule that it stands for. A code keeps its meaning for ever.

use serde::Serialize;

/// A code with its rule.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Code {
    /// `A101`.
    pub code: &'static str,
    /// What must hold.
    pub rule: &'static str,
}

/// Makes the table `CODES` from pairs of code and rule.
macro_rules! codes {
    ($($code:literal $rule:literal)+) => {
        /// All codes in order.
        pub static CODES: &[$crate::text::Code] = &[$($crate::text::Code { code: $code, rule: $rule }),+];
    };
}

pub(crate) use codes;
