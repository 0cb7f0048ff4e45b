//! Masked names: a member's name in the form that strangers may see.

/// Masks a name for strangers: the first character of each of the first two words, then dots.
pub fn mask_name(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().next());
    match (words.next(), words.next()) {
        (Some(first), Some(second)) => format!("{first}••• {second}•••"),
        (Some(first), None) => format!("{first}•••"),
        _ => "•••".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_masked() {
        let check = |name: &str, expect: &str| assert_eq!(mask_name(name), expect);
        check("Alice", "A•••");
        check("Alice Liddell", "A••• L•••");
        check("  Łukasz  Jan Nowak", "Ł••• J•••");
        check("", "•••");
        check("@handle", "@•••");
    }
}
