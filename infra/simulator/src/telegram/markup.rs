//! The text rules of the Bot API: HTML tags, entities, lengths, buttons.

use serde_json::{Value, json};

/// The tags `parse_mode=HTML` knows.
const TAGS: &[&str] = &[
    "a",
    "b",
    "blockquote",
    "code",
    "del",
    "em",
    "i",
    "ins",
    "pre",
    "s",
    "span",
    "strike",
    "strong",
    "tg-emoji",
    "tg-spoiler",
    "tg-time",
    "u",
];
const MAX_TEXT_UNITS: usize = 4_096;
const MAX_CALLBACK_BYTES: usize = 64;
const MAX_COPY_CHARS: usize = 256;

/// Telegram counts text in UTF-16 units.
pub(crate) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The plain text of HTML, or the reason why the real server would refuse it.
pub(crate) fn plain_text(html: &str) -> Result<String, String> {
    let mut text = String::new();
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        let offset = html.len() - rest.len() + at;
        let tail = &rest[at..];
        if tail.starts_with('&') {
            let (decoded, length) = entity(tail);
            text.push(decoded);
            rest = &tail[length..];
            continue;
        }
        let Some(end) = tail.find('>') else {
            return Err(format!("Unclosed start tag at byte offset {offset}"));
        };
        tag(&tail[1..end], offset, &mut open)?;
        rest = &tail[end + 1..];
    }
    text.push_str(rest);
    match open.last() {
        Some(name) => Err(format!("Can't find end tag corresponding to start tag \"{name}\"")),
        None => Ok(text),
    }
}

fn tag<'a>(inside: &'a str, offset: usize, open: &mut Vec<&'a str>) -> Result<(), String> {
    if let Some(name) = inside.strip_prefix('/') {
        let name = name.trim();
        return match open.pop() {
            Some(expected) if expected.eq_ignore_ascii_case(name) => Ok(()),
            Some(expected) => Err(format!(
                "Unmatched end tag at byte offset {offset}, expected \"</{expected}>\", found \"</{name}>\""
            )),
            None => Err(format!("Unexpected end tag at byte offset {offset}")),
        };
    }
    let name = inside.split_whitespace().next().unwrap_or_default();
    if !TAGS.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Err(format!("Unsupported start tag \"{name}\" at byte offset {offset}"));
    }
    open.push(name);
    Ok(())
}

/// One entity at the start of `tail`: its character and its length. What is not an entity is a plain `&`.
fn entity(tail: &str) -> (char, usize) {
    let named = [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"')];
    if let Some((name, decoded)) = named.iter().find(|(name, _)| tail.starts_with(name)) {
        return (*decoded, name.len());
    }
    let number = tail.find(';').and_then(|end| {
        let digits = tail.get(1..end)?.strip_prefix('#')?;
        let code = match digits.strip_prefix(['x', 'X']) {
            Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
            None => digits.parse().ok()?,
        };
        Some((char::from_u32(code)?, end + 1))
    });
    number.unwrap_or(('&', 1))
}

/// The plain text of a message or a caption, checked as the real server checks it.
pub(crate) fn check_text(text: &str, parse_mode: Option<&str>) -> Result<String, String> {
    let plain = match parse_mode {
        Some(mode) if mode.eq_ignore_ascii_case("html") => {
            plain_text(text).map_err(|why| format!("can't parse entities: {why}"))?
        }
        _ => text.to_owned(),
    };
    if plain.trim().is_empty() {
        return Err("message text is empty".to_owned());
    }
    if units(&plain) > MAX_TEXT_UNITS {
        return Err("message is too long".to_owned());
    }
    Ok(plain)
}

/// The limits of inline buttons.
pub(crate) fn check_keyboard(markup: &Value) -> Result<(), String> {
    let rows = markup["inline_keyboard"].as_array().map(Vec::as_slice).unwrap_or_default();
    for button in rows.iter().filter_map(Value::as_array).flatten() {
        if button["text"].as_str().unwrap_or_default().is_empty() {
            return Err("can't parse inline keyboard button: Text buttons are unallowed".to_owned());
        }
        let data = button["callback_data"].as_str();
        if data.is_some_and(|data| data.is_empty() || data.len() > MAX_CALLBACK_BYTES) {
            return Err("BUTTON_DATA_INVALID".to_owned());
        }
        let copied = button["copy_text"]["text"].as_str();
        if copied.is_some_and(|text| text.is_empty() || text.chars().count() > MAX_COPY_CHARS) {
            return Err("BUTTON_COPY_TEXT_INVALID".to_owned());
        }
        let acts = button.as_object().is_some_and(|fields| fields.len() > 1);
        if !acts {
            return Err("can't parse inline keyboard button: Text buttons are unallowed".to_owned());
        }
    }
    Ok(())
}

/// The entities Telegram finds in what a person types: commands and links, offsets in UTF-16 units.
pub(crate) fn typed_entities(text: &str) -> Vec<Value> {
    let mut entities = Vec::new();
    let mut offset = 0;
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        if let Some(length) = command_units(word) {
            entities.push(json!({"offset": offset, "length": length, "type": "bot_command"}));
        } else if word.starts_with("https://") || word.starts_with("http://") {
            entities.push(json!({"offset": offset, "length": units(word), "type": "url"}));
        }
        offset += units(piece);
    }
    entities
}

fn command_units(word: &str) -> Option<usize> {
    let name = word.strip_prefix('/')?;
    let is_part = |part: &str| {
        !part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    let (command, bot) = name.split_once('@').map_or((name, None), |(command, bot)| (command, Some(bot)));
    (is_part(command) && command.len() <= 32 && bot.is_none_or(is_part)).then(|| units(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_read_as_the_server_reads_it() {
        let good = |html: &str, text: &str| assert_eq!(plain_text(html).as_deref(), Ok(text), "{html}");
        good("plain", "plain");
        good("<b>$10</b> &lt;credit&gt; &amp; &#8364; &x", "$10 <credit> & € &x");
        good("<a href=\"https://t.me/x?a=1&amp;b=2\">link</a>", "link");
        good("<s>39</s> <B>29</B>", "39 29");
        let bad = |html: &str| assert!(plain_text(html).is_err(), "{html}");
        bad("<div>x</div>");
        bad("<b>x");
        bad("<b><i>x</b></i>");
        bad("a < b");
        bad("x</b>");
    }

    #[test]
    fn commands_and_links_become_entities() {
        let found = typed_entities("😀 /start ABC https://t.me/x");
        assert_eq!(found[0], json!({"offset": 3, "length": 6, "type": "bot_command"}));
        assert_eq!(found[1]["type"], "url");
        assert_eq!(found[1]["offset"], 14);
        assert!(typed_entities("1/2 and / alone").is_empty());
        assert_eq!(typed_entities("/start@my_bot x")[0]["length"], 13);
    }
}
