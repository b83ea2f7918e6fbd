//! Nobody reads or writes without a token that allows it, on any route: routes are taken from the API's own
//! description, so that a new one is covered by itself.

mod own;
mod routes;
mod strangers;
mod tokens;
