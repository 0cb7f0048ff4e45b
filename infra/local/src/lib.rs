//! guerdon-local
