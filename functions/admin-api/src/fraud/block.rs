//! Blocking a member, unblocking one, and running the checks about one.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use guerdon_api::{
    idempotency::{Kept, Write, once},
    output::Refusal,
};
use guerdon_app::fraud::{ByHand, block_member, run_checks, unblock_member};
use guerdon_domain::fraud::FraudAction;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::{FlagView, one, views};
use crate::{input, state::Api};

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhyBody {
    reason: Option<String>,
}

/// Reads the optional reason of an operator; `otherwise` is the default.
fn why(body: &[u8], otherwise: &str) -> Result<String, Refusal> {
    let given: WhyBody = input::optional_json(body, "reason, or nothing")?;
    given.reason.map_or_else(|| Ok(otherwise.to_owned()), |reason| input::reason(Some(reason)))
}

#[derive(Serialize, ToSchema)]
struct BlockedView {
    user_id: String,
    blocked: bool,
    /// The flag that blocks.
    flag: FlagView,
}

/// Blocks a member: they earn nothing more and cannot withdraw.
#[utoipa::path(
    post,
    path = "/fraud/user/{user_id}/block",
    tag = "fraud",
    params(("user_id" = String, Path)),
    request_body = WhyBody,
    responses(
        (status = 200, description = "Done", body = BlockedView),
        (status = 404, description = "No member has this user id")
    )
)]
pub(crate) async fn block(
    State(api): State<Arc<Api>>,
    Path(user_id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    once(&api.gate, &write, async {
        let (user_id, reason) = (input::user_id(&user_id)?, why(&write.body, "blocked by an operator")?);
        let (action, key) = (FraudAction::Reject, write.key()?);
        let by_hand = ByHand {
            principal: &write.principal.name,
            user_id,
            action,
            reason: &reason,
            key: key.as_deref(),
        };
        let flag = block_member(&api.gate.app, &by_hand).await?;
        let flag = one(&api, flag).await?;
        let view = BlockedView { user_id: user_id.to_string(), blocked: true, flag };
        Kept::new(StatusCode::OK, &view)
    })
    .await
}

#[derive(Serialize, ToSchema)]
struct UnblockedView {
    user_id: String,
    blocked: bool,
    /// The flags that were in force, dismissed now.
    lifted: Vec<FlagView>,
}

/// Dismisses every flag in force about a member, and lifts an operator's bar.
#[utoipa::path(
    post,
    path = "/fraud/user/{user_id}/unblock",
    tag = "fraud",
    params(("user_id" = String, Path)),
    request_body = WhyBody,
    responses(
        (status = 200, description = "Done", body = UnblockedView),
        (status = 404, description = "No member has this user id")
    )
)]
pub(crate) async fn unblock(
    State(api): State<Arc<Api>>,
    Path(user_id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    once(&api.gate, &write, async {
        let (user_id, reason) = (input::user_id(&user_id)?, why(&write.body, "unblocked by an operator")?);
        let lifted = unblock_member(&api.gate.app, &write.principal.name, user_id, &reason).await?;
        let lifted = views(&api, lifted).await?;
        let view = UnblockedView { user_id: user_id.to_string(), blocked: false, lifted };
        Kept::new(StatusCode::OK, &view)
    })
    .await
}

#[derive(Serialize, ToSchema)]
struct CheckedView {
    user_id: String,
    /// The rules only watch: nothing is done about what they find.
    shadow: bool,
    /// The current findings of the rules, raised by this call or before.
    findings: Vec<FlagView>,
}

/// Runs every check about a member now.
#[utoipa::path(
    post,
    path = "/fraud/user/{user_id}/run-checks",
    tag = "fraud",
    params(("user_id" = String, Path)),
    responses(
        (status = 200, description = "Done", body = CheckedView),
        (status = 404, description = "No member has this user id")
    )
)]
pub(crate) async fn checks(
    State(api): State<Arc<Api>>,
    Path(user_id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    once(&api.gate, &write, async {
        let user_id = input::user_id(&user_id)?;
        let checked = run_checks(&api.gate.app, &write.principal.name, user_id).await?;
        let findings = views(&api, checked.flags).await?;
        let view = CheckedView { user_id: user_id.to_string(), shadow: checked.shadow, findings };
        Kept::new(StatusCode::OK, &view)
    })
    .await
}
