//! Telegram's HTML mode.

/// Longest message text, in UTF-16 units, tags and entities not counted.
pub const MAX_TEXT: usize = 4096;

/// Escapes a text for use in a message: the three special characters become entities.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            other => safe.push(other),
        }
    }
    safe
}

/// Formats `text`, escaped, in bold.
pub fn bold(text: &str) -> String {
    format!("<b>{}</b>", escape(text))
}

/// Formats `text`, escaped, in a fixed-width font; a tap copies it.
pub fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// Cuts well-formed HTML to [`MAX_TEXT`], between characters, and closes the tags that are open there, because
/// Telegram refuses a message with a broken tag.
pub fn truncate(html: String) -> String {
    let fits = html.len() <= MAX_TEXT || Pieces(&html).map(Piece::units).sum::<usize>() <= MAX_TEXT;
    if fits {
        return html;
    }
    let (mut cut, mut open, mut units) = (String::new(), Vec::new(), 0);
    for piece in Pieces(&html) {
        units += piece.units();
        // One unit is reserved for the ellipsis.
        if units >= MAX_TEXT {
            break;
        }
        match piece {
            Piece::Open { name, .. } => open.push(name),
            Piece::Close(_) => drop(open.pop()),
            Piece::Text(_) => {}
        }
        cut.push_str(piece.source());
    }
    cut.push('…');
    for name in open.into_iter().rev() {
        cut.push_str(&format!("</{name}>"));
    }
    cut
}

/// A piece of HTML that is never cut: a tag, an entity or a character.
#[derive(Clone, Copy)]
enum Piece<'a> {
    Open { source: &'a str, name: &'a str },
    Close(&'a str),
    Text(&'a str),
}

impl<'a> Piece<'a> {
    fn source(self) -> &'a str {
        match self {
            Self::Open { source, .. } | Self::Close(source) | Self::Text(source) => source,
        }
    }

    /// Length of the piece, as Telegram counts it.
    fn units(self) -> usize {
        match self {
            Self::Open { .. } | Self::Close(_) => 0,
            // A numeric entity may be a character of two units.
            Self::Text(text) if text.len() > 1 && text.starts_with("&#") => 2,
            Self::Text(text) if text.len() > 1 && text.starts_with('&') => 1,
            Self::Text(text) => text.encode_utf16().count(),
        }
    }
}

struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let first = self.0.chars().next()?;
        let length = match first {
            '<' => self.0.find('>').map(|end| end + 1),
            '&' => entity(self.0),
            _ => None,
        };
        let length = length.unwrap_or(first.len_utf8());
        let (source, rest) = self.0.split_at(length);
        self.0 = rest;
        Some(match source.strip_prefix('<').and_then(|tag| tag.strip_suffix('>')) {
            Some(tag) if tag.starts_with('/') => Piece::Close(source),
            Some(tag) => Piece::Open { source, name: tag.split_whitespace().next().unwrap_or_default() },
            None => Piece::Text(source),
        })
    }
}

/// Length of the entity that `text` starts with; none for a single `&`, which is an ordinary character.
fn entity(text: &str) -> Option<usize> {
    let end = text.find(';')?;
    let name = text.get(1..end)?;
    let named =
        (1..=10).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'#');
    named.then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_the_three() {
        assert_eq!(escape("<a href=\"x\">&'é"), "&lt;a href=\"x\"&gt;&amp;'é");
        assert_eq!(bold("a<b"), "<b>a&lt;b</b>");
        assert_eq!(code("A&B"), "<code>A&amp;B</code>");
    }

    #[test]
    fn what_fits_is_left_alone() {
        for text in
            [String::new(), "x".repeat(4096), format!("<b>{}</b>", "&amp;".repeat(4096)), "😀".repeat(2048)]
        {
            assert_eq!(truncate(text.clone()), text);
        }
    }

    #[test]
    fn a_cut_closes_its_tags() {
        let long = "x".repeat(5000);
        let kept = "x".repeat(4095);
        assert_eq!(truncate(long.clone()), format!("{kept}…"));
        assert_eq!(
            truncate(format!("<b><a href=\"https://example.com\">{long}</a></b>")),
            format!("<b><a href=\"https://example.com\">{kept}…</a></b>")
        );
        assert_eq!(truncate("&lt;".repeat(5000)), format!("{}…", "&lt;".repeat(4095)));
        assert_eq!(truncate("&".repeat(5000) + ";"), format!("{}…", "&".repeat(4095)));
        // A pair of surrogates is not cut in half.
        assert_eq!(truncate("😀".repeat(3000)), format!("{}…", "😀".repeat(2047)));
        assert_eq!(truncate(format!("<i>a</i>{long}")), format!("<i>a</i>{}…", "x".repeat(4094)));
    }

    proptest! {
        #[test]
        fn a_cut_is_short_and_well_formed(parts in prop::collection::vec(("[a-z]{0,6}", ".{0,40}"), 0..300)) {
            let html: String = parts.iter().map(|(tag, text)| {
                if tag.is_empty() { escape(text) } else { format!("<{tag}>{}</{tag}>", escape(text)) }
            }).collect();
            let cut = truncate(html);
            prop_assert!(Pieces(&cut).map(Piece::units).sum::<usize>() <= MAX_TEXT);
            let mut open = Vec::new();
            for piece in Pieces(&cut) {
                match piece {
                    Piece::Open { name, .. } => open.push(format!("</{name}>")),
                    Piece::Close(source) => prop_assert_eq!(open.pop(), Some(source.to_owned())),
                    Piece::Text(_) => {}
                }
            }
            prop_assert!(open.is_empty());
        }
    }
}
