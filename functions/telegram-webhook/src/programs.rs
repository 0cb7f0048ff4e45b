//! The promise of the program in force, in words.

use guerdon_app::{
    error::AppError,
    programs::{program_now, reward_wallet},
    settings::settings_now,
};
use guerdon_telegram::{
    keyboard::{Button, Keyboard},
    nav::Nav,
    offer::Offer,
    purse::Purse,
    texts::fill,
};

use crate::{reply::Words, state::Bot};

/// The promise of the program in force, and the kind of reward that it gives.
pub(crate) struct Deal {
    pub(crate) offer: Offer,
    pub(crate) purse: Purse,
}

/// Reads the program in force.
pub(crate) async fn deal(bot: &Bot, words: Words) -> Result<Deal, AppError> {
    let (settings, program) = (settings_now(&bot.app).await?, program_now(&bot.app).await?);
    let preset = &settings.preset;
    let (kind, currency) = reward_wallet(preset, &program);
    Ok(Deal { offer: Offer::of(words, preset, &program), purse: Purse::of(kind, currency) })
}

impl Deal {
    /// `template` with the promise in it, escaped; `without` where nothing is promised.
    pub(crate) fn promise(&self, template: &str, without: &str) -> String {
        match &self.offer.promise {
            Some(promise) => fill(template, &[("offer", promise)]),
            None => without.to_owned(),
        }
    }

    /// The buttons under a page that leads everywhere.
    pub(crate) fn menu(&self, words: Words) -> Keyboard {
        Keyboard::new()
            .row([Button::nav(words.button_recruit, Nav::Recruit)])
            .row([
                Button::nav(words.purse(self.purse).button, Nav::Credits { cursor: None }),
                Button::nav(words.button_plans, Nav::Plans),
            ])
            .row([Button::nav(words.button_profile, Nav::Profile)])
    }
}
