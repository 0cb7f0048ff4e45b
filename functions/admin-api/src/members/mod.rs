//! Members: who they are, the list of them, and barring one.

pub(crate) mod bar;
pub(crate) mod known;
pub(crate) mod list;
pub(crate) mod view;
