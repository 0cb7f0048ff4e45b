//! guerdon-tests
