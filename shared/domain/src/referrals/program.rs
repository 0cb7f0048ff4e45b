//! User agents of programs that open links without a person: crawlers, link previews, libraries.

/// The published list: words in the user agents of programs. `make crawlers` renews it.
const PUBLISHED: &str = include_str!("crawlers.txt");

/// Published words that are also in the agents of people, as names of apps with a browser inside. The fetchers of these
/// apps do not call themselves a browser.
const OF_PEOPLE: [&str; 3] = ["Feedly", "Viber", "WhatsApp"];

/// Words that the published list has as expressions only.
const MORE: [&str; 4] = ["Pingdom", "PTST/", "RSS Reader", "acunetix"];

/// Words of programs in any letter case. A browser's agent has no address in it.
const GENERAL: [&str; 7] = ["crawl", "spider", "preview", "externalhit", "headless", "lighthouse", "://"];

/// The beginnings of the agents of browsers. What begins in another way is a library, a fetcher or a tool.
const BROWSERS: [&str; 10] = [
    "Mozilla/",
    "Opera/",
    "UCWEB/",
    "BlackBerry",
    "Nokia",
    "SAMSUNG-",
    "Lynx/",
    "w3m/",
    "Links (",
    "ELinks/",
];

/// Apps in which people open links. Their servers, which fetch previews, have other agents.
const APPS: [&str; 2] = ["telegram-android/", "telegram-ios/"];

/// Browsers that call themselves compatible, as programs do.
const COMPATIBLE: [&str; 2] = ["msie", "konqueror"];

/// True when this user agent belongs to a program, or is empty. Doubtful agents are people: a click that is counted
/// wrongly costs less than a referral that is lost.
pub fn is_program(user_agent: &str) -> bool {
    let agent = user_agent.trim().trim_matches('"').trim_start();
    let lower = agent.to_ascii_lowercase();
    if APPS.iter().any(|app| lower.contains(app)) {
        return false;
    }
    if !BROWSERS.iter().any(|browser| agent.starts_with(browser)) {
        return true;
    }
    let compatible = lower.contains("compatible;") && !COMPATIBLE.iter().any(|word| lower.contains(word));
    compatible
        || GENERAL.iter().any(|word| lower.contains(word))
        || is_bot(&lower)
        || MORE.iter().any(|word| agent.contains(word))
        || published().any(|word| is_in(word, agent))
}

/// The published words, without those of people.
fn published() -> impl Iterator<Item = &'static str> {
    let words = PUBLISHED.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    words.filter(|word| !OF_PEOPLE.contains(word))
}

/// True when the agent has this word. A short one may be the name of a phone, so it counts only before a version.
fn is_in(word: &str, agent: &str) -> bool {
    let short = word.len() <= 5 && word.bytes().all(|b| b.is_ascii_alphanumeric());
    let before_version =
        |at: usize| !short || agent.as_bytes().get(at.saturating_add(word.len())) == Some(&b'/');
    agent.match_indices(word).any(|(at, _)| before_version(at))
}

/// True when a word of the agent, in lower case, ends in `bot` or `bots`. Phones of the make CUBOT are none.
fn is_bot(lower: &str) -> bool {
    lower.match_indices("bot").any(|(at, bot)| {
        let (before, after) = (lower.get(..at), lower.get(at.saturating_add(bot.len())..));
        let after = after.map(|rest| rest.strip_prefix('s').unwrap_or(rest)).unwrap_or_default();
        let ends = !after.starts_with(|next: char| next.is_ascii_alphabetic());
        ends && !before.is_some_and(|before| before.ends_with("cu"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The browser in the app of Telegram on this phone.
    fn in_telegram(phone: &str) -> String {
        format!(
            "Mozilla/5.0 (Linux; Android 14; {phone} Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like \
             Gecko) Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36 Telegram-Android/11.2.1 ({phone}; Android 14; \
             SDK 34; HIGH)"
        )
    }

    #[test]
    fn people_are_people_whatever_their_phone_and_app() {
        for phone in
            ["SM-G991B", "CUBOT X30", "CUBOT_NOTE_20", "Cubot KingKong", "Sonic X", "Yeti", "Panasonic ELUGA"]
        {
            let agent = in_telegram(phone);
            assert!(!is_program(&agent), "{agent}");
            let browser = agent.split(" Telegram-").next().unwrap();
            for app in
                ["", " Viber/21.5", " WhatsApp/2.24.1", " Instagram 309.1.0.41.113 Android", " Line/13.20.0"]
            {
                assert!(!is_program(&format!("{browser}{app}")), "{browser}{app}");
            }
        }
        for agent in [
            "Telegram-Android/11.2.1",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Version/17.1 Mobile Safari/604.1",
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36",
            "\"Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0\"",
            "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)",
            "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80 (S60; SymbOS; Opera Mobi/23.348; U; en) Presto/2.5.25 Version/10.54",
            "Lynx/2.9.0 libwww-FM/2.14",
        ] {
            assert!(!is_program(agent), "{agent}");
        }
    }

    #[test]
    fn libraries_and_tools_are_programs() {
        for agent in [
            "",
            " ",
            "HTTPie/3.2.2",
            "PostmanRuntime/7.36.0",
            "GuzzleHttp/7",
            "undici",
            "node",
            "Viber/13.3.0.9",
            "Viber",
            "WhatsApp/2.23.20.0 A",
            "curl/8.5.0",
            "Wget/1.21.4",
            "python-requests/2.31.0",
            "Go-http-client/2.0",
            "Java/17.0.9",
            "okhttp/4.12.0",
            "axios/1.6.2",
            "insomnia/8.6.0",
            "Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7)",
            "reqwest/0.12.4",
        ] {
            assert!(is_program(agent), "{agent}");
        }
    }

    #[test]
    fn crawlers_and_previews_are_programs_though_they_look_like_browsers() {
        for agent in [
            "TelegramBot (like TwitterBot)",
            "facebookexternalhit/1.1",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0",
            "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
            "Mozilla/5.0 (Macintosh) AppleWebKit/600.2.5 Version/8.0.2 Safari/600.2.5 (Applebot/0.1)",
            "Mozilla/5.0 (X11; Linux x86_64) Chrome/41.0 Safari/537.36 Google-Read-Aloud",
            "Mozilla/5.0 (X11; Linux x86_64) Chrome/96.0.4664.45 Safari/537.36 PTST/211202.211915",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 11_3 like Mac OS X) AppleWebKit/605.1.15 Hotjar Version/11.0",
            "Mozilla/5.0 (Windows NT 10.0) Yeti/1.1",
        ] {
            assert!(is_program(agent), "{agent}");
        }
    }

    #[test]
    fn the_published_list_is_whole() {
        assert!(published().count() > 700, "{}", published().count());
        for word in published() {
            assert!(is_in(word, &format!("Mozilla/5.0 {word}/1.0")), "{word}");
        }
    }
}
