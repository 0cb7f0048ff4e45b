//! The members that a member referred, on two levels.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    gate::Gate,
    input::{bad_request, encode_cursor},
    output::Refusal,
    pages,
    paging::Paged,
};
use guerdon_app::referrals::{Branch, TreePlace, referral_tree};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::input::{UserRef, load};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TreeQuery {
    /// 1 for the member's own referees, 2 for theirs as well. 2 when it is left out.
    #[param(value_type = Option<i32>)]
    depth: Option<String>,
    /// Referees of the member on one page: 1 to 50, 20 when it is left out.
    #[param(value_type = Option<i32>)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

pages!(TreeQuery, (20, 50));

#[derive(Serialize, ToSchema)]
struct Node {
    /// The Telegram id; null when the member is gone.
    user_id: Option<String>,
    username: Option<String>,
    first_name: Option<String>,
    joined_at: String,
    /// `pending`, `converted` or `expired`.
    status: &'static str,
    /// Number of members that they referred.
    total_referrals: i64,
    /// The newest of those, ten at the most.
    #[schema(no_recursion)]
    referrals: Vec<Node>,
}

#[derive(Serialize, ToSchema)]
struct Tree {
    user_id: String,
    total_referrals: i64,
    referrals: Vec<Node>,
    /// Give it as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

fn node(branch: Branch) -> Node {
    let (user_id, username, first_name) = match branch.member {
        Some(member) => (Some(member.telegram_id.to_string()), member.username, Some(member.first_name)),
        None => (None, None, None),
    };
    Node {
        user_id,
        username,
        first_name,
        joined_at: branch.joined_at.to_string(),
        status: branch.state,
        total_referrals: branch.recruits,
        referrals: branch.referees.into_iter().map(node).collect(),
    }
}

/// The members that a member referred, newest first, each with the members that they referred.
#[utoipa::path(
    get,
    path = "/users/{user_id}/referral-tree",
    tag = "users",
    params(("user_id" = String, Path, description = "A Telegram id, or a UUID that the API shows"), TreeQuery),
    responses((status = 200, description = "A page of the tree", body = Tree))
)]
pub(crate) async fn tree(
    State(gate): State<Arc<Gate>>,
    Path(user_id): Path<String>,
    Paged { query, limit, after }: Paged<TreeQuery, TreePlace>,
) -> Result<Response, Refusal> {
    let two_levels = match query.depth.as_deref() {
        Some("1") => false,
        None | Some("2") => true,
        Some(_) => return Err(bad_request("bad_depth", "depth must be 1 or 2.")),
    };
    let member = load(&gate, &UserRef::parse(&user_id)?.member(&gate)).await?;
    let found = referral_tree(&gate.app, &member.id, after.as_ref(), limit, two_levels).await?;
    let next_cursor = found.next.map(|place| encode_cursor(&place)).transpose()?;
    Ok(Json(Tree {
        user_id: member.telegram_id.to_string(),
        total_referrals: found.recruits,
        referrals: found.branches.into_iter().map(node).collect(),
        next_cursor,
    })
    .into_response())
}
