//! What the projector lists: members by when they joined and by name, the barred, and orders by state.

use std::collections::BTreeMap;

use guerdon_domain::{members::Member, payments::Order, withdrawals::Withdrawal};
use guerdon_store::{
    changes::{Change, Stored},
    statistics::{List, Listed},
};

use crate::{context::App, error::AppError};

/// The lines that a batch writes and takes away, the last word about each.
#[derive(Debug, Default)]
pub(crate) struct Lines(BTreeMap<Listed, bool>);

impl Lines {
    pub(crate) fn take(&mut self, change: &Change) {
        match (&change.before, &change.after) {
            (None | Some(Stored::Member(_)), Some(Stored::Member(_))) | (Some(Stored::Member(_)), None) => {
                self.moved(member(&change.before), member(&change.after), of_member);
            }
            (None | Some(Stored::Order(_)), Some(Stored::Order(_))) => {
                self.moved(order(&change.before), order(&change.after), of_order);
            }
            (None | Some(Stored::Withdrawal(_)), Some(Stored::Withdrawal(_))) => {
                self.moved(withdrawal(&change.before), withdrawal(&change.after), of_withdrawal);
            }
            _ => {}
        }
    }

    /// What stood in lists before and does not any more is taken away; what stands in them anew is written.
    fn moved<T>(&mut self, before: Option<&T>, after: Option<&T>, lines: fn(&T) -> Vec<Listed>) {
        let (before, after) = (before.map(lines).unwrap_or_default(), after.map(lines).unwrap_or_default());
        for line in before.iter().filter(|line| !after.contains(line)) {
            self.0.insert(line.clone(), false);
        }
        for line in after.into_iter().filter(|line| !before.contains(line)) {
            self.0.insert(line, true);
        }
    }

    pub(crate) async fn write(&self, app: &App) -> Result<(), AppError> {
        for (line, stands) in &self.0 {
            if *stands {
                app.store.lists().put(line).await?;
            } else {
                app.store.lists().remove(line).await?;
            }
        }
        Ok(())
    }
}

fn member(stored: &Option<Stored>) -> Option<&Member> {
    match stored {
        Some(Stored::Member(member)) => Some(member),
        _ => None,
    }
}

fn order(stored: &Option<Stored>) -> Option<&Order> {
    match stored {
        Some(Stored::Order(order)) => Some(order),
        _ => None,
    }
}

fn withdrawal(stored: &Option<Stored>) -> Option<&Withdrawal> {
    match stored {
        Some(Stored::Withdrawal(withdrawal)) => Some(withdrawal),
        _ => None,
    }
}

fn of_withdrawal(withdrawal: &Withdrawal) -> Vec<Listed> {
    vec![Listed::withdrawal(withdrawal)]
}

fn of_member(member: &Member) -> Vec<Listed> {
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

fn of_order(order: &Order) -> Vec<Listed> {
    vec![Listed::order(order.state, order.created_at, &order.id)]
}

/// A name as it is searched for: letters and digits in lower case, 32 at the most.
pub(crate) fn searchable(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(32).collect()
}
