//! Names as people gave them, without what cannot be seen.

/// A name that is safe to show: without control characters, without characters that turn the direction of the text
/// around them, and without ones that have no width. Joiners stay after a visible character where one follows, which
/// Persian words and family emoji need, and after an Indic letter. Empty if nothing can be seen.
pub fn shown_name(text: &str) -> String {
    let kept: String = text.chars().filter(|c| !is_hidden(*c)).collect();
    let kept: Vec<char> = kept.trim().chars().collect();
    let at = |index: Option<usize>| index.and_then(|index| kept.get(index)).copied();
    let joins = |index: usize| {
        let (before, after) = (at(index.checked_sub(1)), at(index.checked_add(1)));
        before.is_some_and(|c| is_indic(c) || (!is_blank(c) && after.is_some_and(|next| !is_blank(next))))
    };
    let shown = kept.iter().enumerate().filter(|(index, c)| !is_joiner(**c) || joins(*index)).map(|(_, c)| c);
    let shown: String = shown.collect();
    if shown.chars().all(is_blank) { String::new() } else { shown }
}

const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// Letters and signs of India and Sri Lanka: a joiner after a virama changes the letter's form.
const fn is_indic(c: char) -> bool {
    matches!(c, '\u{0900}'..='\u{0DFF}')
}

/// Characters that show nothing by themselves: spaces, the blank Braille pattern, joiners, variation selectors, tags.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || is_joiner(c)
        || matches!(
            c,
            '\u{2800}' | '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..='\u{E007F}'
                | '\u{E0100}'..='\u{E01EF}'
        )
}

/// True for a control character or a format character without a width: soft hyphen, marks and embeddings of direction,
/// zero width space, word joiner, invisible operators, byte order mark, fillers.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180E}'
                | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
                | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_is_left() {
        let check = |name: &str, expect: &str| assert_eq!(shown_name(name), expect, "{name:?}");
        check("Alice", "Alice");
        check("  Łukasz Nowak ", "Łukasz Nowak");
        check("\u{202E}ecilA", "ecilA");
        check("Al\u{200B}ice\u{2066}\u{FEFF}", "Alice");
        check("\u{3164}", "");
        check("\u{2060}\u{200D}\u{200C} \u{00AD}", "");
        check("a\nb\tc", "abc");
        // Joiners hold words and emoji together.
        check("می\u{200C}خواهم", "می\u{200C}خواهم");
        check("👨\u{200D}👩\u{200D}👧", "👨\u{200D}👩\u{200D}👧");
        check("\u{200D}Bob\u{200D}", "Bob");
        check("مريم", "مريم");
        check("മോഹന്\u{200D} ദാസ്\u{200D}", "മോഹന്\u{200D} ദാസ്\u{200D}");
        for blank in ["\u{2800}\u{2800}", "\u{FE0F}", "\u{E0041}", "\u{3000}\u{200D}\u{3000}", "\u{180B} "] {
            check(blank, "");
        }
    }
}
