//! The code that a member shares. It is created when first needed and replaced after it expires.

use guerdon_domain::{
    ids::MemberId,
    members::{Member, MemberCode},
    referrals::CodeRecord,
};
use guerdon_store::table::metered;

use crate::{
    attempt::Attempts,
    context::App,
    error::{AppError, refusal},
    settings::settings_now,
};

#[derive(Clone, Copy)]
enum Refused {
    CodeTaken,
    MemberMoved,
}

/// Returns the member's valid code, and creates one if there is none. Repeated and concurrent calls return
/// the same code.
///
/// # Errors
/// [`AppError::Corrupt`] for an id that is not a member's.
pub async fn share_code(app: &App, id: &MemberId) -> Result<MemberCode, AppError> {
    let days = settings_now(app).await?.preset.code_valid_days;
    Ok(match make_code(app, id, None, days).await? {
        Code::Made(code) | Code::Active(code) => code,
    })
}

/// Like [`share_code`], for a member who was just loaded. Reads the member again only after a conflicting
/// write.
pub(crate) async fn share_code_of(app: &App, member: &Member) -> Result<MemberCode, AppError> {
    let days = settings_now(app).await?.preset.code_valid_days;
    Ok(match make_code(app, &member.id, Some(member.clone()), days).await? {
        Code::Made(code) | Code::Active(code) => code,
    })
}

/// Creates a code that is valid for `days`. Returns `None` if the member already has a valid code.
///
/// # Errors
/// [`AppError::Corrupt`] for an id that is not a member's.
pub async fn generate_code(app: &App, id: &MemberId, days: i64) -> Result<Option<MemberCode>, AppError> {
    Ok(match make_code(app, id, None, days).await? {
        Code::Made(code) => Some(code),
        Code::Active(_) => None,
    })
}

enum Code {
    Made(MemberCode),
    Active(MemberCode),
}

/// Finds or creates the code. `known` is the member if just loaded; each retry reads the member again.
async fn make_code(app: &App, id: &MemberId, mut known: Option<Member>, days: i64) -> Result<Code, AppError> {
    metered("share_code", async {
        // A random code collides about once in 10^12 times. After a conflict on the member, the member has a
        // code.
        let mut attempts = Attempts::default();
        loop {
            let member = match known.take() {
                Some(member) => Some(member),
                None => app.store.members().find(id).await?,
            };
            let member = member.ok_or_else(|| AppError::Corrupt("a code for an unknown member".into()))?;
            let now = app.now();
            if let Some(current) = member.code.clone().filter(|current| now < current.expires_at) {
                return Ok(Code::Active(current));
            }
            let code = app.random_code()?;
            let next = MemberCode { code, expires_at: now.plus_days(days) };
            let record = CodeRecord {
                code: next.code.clone(),
                owner: id.clone(),
                created_at: now,
                expires_at: next.expires_at,
                expired: false,
            };
            let writes = [
                app.store.codes().insert(&record, Refused::CodeTaken)?,
                app.store.members().replace_code(id, member.code.as_ref(), &next, Refused::MemberMoved)?,
            ];
            match refusal(app.store.commit(&writes).await)? {
                None => return Ok(Code::Made(next)),
                Some(Refused::CodeTaken | Refused::MemberMoved) => attempts.at_once()?,
            }
        }
    })
    .await
}
