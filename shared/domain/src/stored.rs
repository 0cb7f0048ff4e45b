//! How the records of the domain are stored.

/// True for a default, which is not stored: an absent field means the same.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
