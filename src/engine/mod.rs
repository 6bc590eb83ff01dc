//! (to be written)
#[cfg(test)]
pub(crate) fn test_vault() -> crate::secret::Vault { crate::secret::Vault::new([7; 32]) }
