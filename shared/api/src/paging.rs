//! Pages of lists: how long one is and where it begins, read from the query.

use axum::{
    extract::{FromRequestParts, Query},
    response::{IntoResponse, Response},
};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::input::{cursor, number};

/// A query with `limit` and `cursor`. [`pages!`](crate::pages) implements it.
pub trait Pages {
    /// The limit when it is left out, and the largest one.
    const LIMITS: (i32, i32);

    /// `limit` as it was sent.
    fn limit(&self) -> Option<&str>;

    /// `cursor` as it was sent.
    fn cursor(&self) -> Option<&str>;
}

/// Says of a query that it has `limit` and `cursor`: 1 to 200, 50 when it is left out, or other limits.
#[macro_export]
macro_rules! pages {
    ($query:ty) => {
        $crate::pages!($query, (50, 200));
    };
    ($query:ty, $limits:expr) => {
        impl $crate::paging::Pages for $query {
            const LIMITS: (i32, i32) = $limits;

            fn limit(&self) -> Option<&str> {
                self.limit.as_deref()
            }

            fn cursor(&self) -> Option<&str> {
                self.cursor.as_deref()
            }
        }
    };
}

/// A query of a list whose cursor holds a position of the type `P`. What cannot be read is refused with 400.
pub struct Paged<Q, P> {
    /// The query with its other parameters.
    pub query: Q,
    /// The most items that the page may have.
    pub limit: i32,
    /// The position that the page follows; none for the first page.
    pub after: Option<P>,
}

impl<S: Send + Sync, Q: DeserializeOwned + Pages, P: DeserializeOwned> FromRequestParts<S> for Paged<Q, P> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let query = Query::<Q>::from_request_parts(parts, state).await;
        let Query(query) = query.map_err(IntoResponse::into_response)?;
        let limit = number(("limit", "bad_limit"), query.limit(), Q::LIMITS);
        let limit = limit.map_err(IntoResponse::into_response)?;
        let after = cursor(query.cursor()).map_err(IntoResponse::into_response)?;
        Ok(Self { query, limit, after })
    }
}
