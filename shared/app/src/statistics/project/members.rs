//! Projection of members: the number of new members, and the lists by time of joining, by name and of barred
//! members.

use guerdon_domain::{members::Member, statistics::Counter};
use guerdon_store::statistics::{List, Listed};

use super::{Changed, plan::Plan};

pub(super) fn changed(plan: &mut Plan, change: &Changed<'_, Member>) {
    plan.lines.moved(change.before, change.after, lines_of);
    let joined_before = change.before.is_some_and(|member| member.joined.is_some());
    let joined = change.after.and_then(|member| member.joined.as_ref());
    if let (false, Some(joined)) = (joined_before, joined) {
        plan.add_to_day(change.sequence, joined.at, &[(Counter::Members, 1)]);
        plan.keep_click(joined);
    }
}

fn lines_of(member: &Member) -> Vec<Listed> {
    let Some(joined) = &member.joined else { return Vec::new() };
    let mut lines = vec![Listed::member(List::Members, joined.at, &member.id)];
    if member.is_barred() {
        lines.push(Listed::member(List::Barred, joined.at, &member.id));
    }
    let names = [Some(&member.first_name), member.last_name.as_ref(), member.username.as_ref()];
    let names = names.into_iter().flatten().map(|name| searchable(name));
    lines.extend(names.filter_map(|name| Listed::name(&name, &member.id)));
    lines.sort();
    lines.dedup();
    lines
}

/// Normalizes a name for the search: letters and digits in lower case, at most 32 characters.
pub(crate) fn searchable(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(32).collect()
}
