//! Lists of fraud flags.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use guerdon_api::{
    output::{Page, Refusal},
    pages,
    paging::Paged,
};
use guerdon_app::fraud::{flags_in, flags_of};
use guerdon_domain::{ids::FraudFlagId, time::Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::{FlagView, views};
use crate::{
    input::{self, bad_request, next_cursor},
    state::Api,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FlagQuery {
    /// `open` or `resolved`; open ones when it is left out, all of them with `user_id`.
    state: Option<String>,
    /// One member's flags only, in no order of time.
    user_id: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

pages!(FlagQuery);

/// The last flag of a page: of one member by its id, of all by its time too.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Place {
    Flag(FraudFlagId),
    Time(Timestamp, FraudFlagId),
}

/// Flags on one page: what the table reads at once.
const MOST: i32 = 100;

/// Flags, the latest first.
#[utoipa::path(
    get,
    path = "/fraud/flags",
    tag = "fraud",
    params(FlagQuery),
    responses((status = 200, description = "Done", body = Page<FlagView>))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Paged { query, limit, after }: Paged<FlagQuery, Place>,
) -> Result<Response, Refusal> {
    let state = match query.state.as_deref() {
        None | Some("open" | "resolved") => query.state.as_deref(),
        Some(_) => return Err(bad_request("bad_state", "state must be open or resolved.")),
    };
    let limit = limit.min(MOST);
    let foreign = || bad_request("bad_cursor", "cursor must be a next_cursor of this list.");
    let app = &api.gate.app;
    let (found, next_cursor, state) = match query.user_id.as_deref() {
        Some(user_id) => {
            let member = api.gate.app.member_id(input::user_id(user_id)?);
            let after = match after {
                None => None,
                Some(Place::Flag(id)) => Some(id),
                Some(Place::Time(..)) => return Err(foreign()),
            };
            let found = flags_of(app, &member, after.as_ref(), limit).await?;
            let next = next_cursor(&found, limit, |last| last.id.clone())?;
            (found, next, state)
        }
        None => {
            let state = state.unwrap_or("open");
            let before = match after {
                None => None,
                Some(Place::Time(at, id)) => Some((at, id)),
                Some(Place::Flag(_)) => return Err(foreign()),
            };
            let before = before.as_ref().map(|(at, id)| (*at, id));
            let found = flags_in(app, state, before, limit).await?;
            let next = next_cursor(&found, limit, |last| (last.raised_at, last.id.clone()))?;
            (found, next, Some(state))
        }
    };
    // What was just resolved may still be listed.
    let shown = found.into_iter().filter(|flag| state.is_none_or(|state| flag.state.as_str() == state));
    let items = views(&api, shown.collect()).await?;
    Ok(Json(Page { items, next_cursor }).into_response())
}
