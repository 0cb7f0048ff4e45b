//! Pages as CSV: the same fields as in JSON, in a fixed order.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use guerdon_api::{
    input::bad_request,
    output::{Page, Refusal},
};
use guerdon_app::error::AppError;
use guerdon_domain::members::is_hidden;
use http::{HeaderName, HeaderValue, header};
use serde::Serialize;
use serde_json::Value;

/// The header with the cursor of the next CSV page; JSON pages have it in their body.
const NEXT_CURSOR: HeaderName = HeaderName::from_static("x-next-cursor");

/// A page in the format that was asked for: `json`, or `csv` with these columns, which are fields of the items.
pub(crate) fn answer<T: Serialize>(
    format: Option<&str>,
    page: Page<T>,
    (name, columns): (&str, &[&str]),
) -> Result<Response, Refusal> {
    match format {
        None | Some("json") => Ok(Json(page).into_response()),
        Some("csv") => Ok(csv(&page, name, columns)?),
        Some(_) => Err(bad_request("bad_format", "format must be csv or json.")),
    }
}

fn csv<T: Serialize>(page: &Page<T>, name: &str, columns: &[&str]) -> Result<Response, AppError> {
    let malformed = |error: &dyn std::fmt::Display| AppError::Corrupt(error.to_string().into());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).map_err(|error| malformed(&error))?;
    for item in &page.items {
        // Numbers keep their digits: they never become floats.
        let fields: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
            serde_json::from_str(&serde_json::to_string(item)?)?;
        let row =
            columns.iter().map(|column| fields.get(*column).map(|raw| text(raw.get())).unwrap_or_default());
        writer.write_record(row).map_err(|error| malformed(&error))?;
    }
    let text = writer.into_inner().map_err(|error| malformed(&error))?;
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let attachment = format!("attachment; filename=\"{name}.csv\"");
    let mut set = |name, value: &str| {
        HeaderValue::from_str(value)
            .map(|value| headers.insert(name, value))
            .map_err(|error| malformed(&error))
    };
    set(header::CONTENT_DISPOSITION, &attachment)?;
    if let Some(next) = &page.next_cursor {
        set(NEXT_CURSOR, next)?;
    }
    Ok(response)
}

/// A field as a spreadsheet shows it. What would be read as a formula is made plain text.
fn text(raw: &str) -> String {
    match serde_json::from_str(raw) {
        Ok(Value::Null) => String::new(),
        Ok(Value::String(text)) => cell(&text),
        _ => raw.to_owned(),
    }
}

/// A text that no spreadsheet reads as a formula. Programs skip spaces before a formula, take the full-width signs for
/// the plain ones, and split cells at semicolons or tabs too; an apostrophe makes the cell text
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
pub(crate) fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut begins = true;
    for c in text.chars() {
        if begins && matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') {
            safe.push('\'');
        }
        begins =
            matches!(c, ';' | ',' | '|') || c.is_control() || (begins && (c.is_whitespace() || is_hidden(c)));
        safe.push(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_plain_text() {
        for (raw, expect) in [
            ("null", ""),
            ("10.00", "10.00"),
            ("-10.00", "-10.00"),
            ("\"a, b\"", "a, b"),
            ("\"=1+1\"", "'=1+1"),
            ("\"-2+3@bank\"", "'-2+3@bank"),
            ("\"asha@okhdfc\"", "asha@okhdfc"),
            ("\" =1+1\"", " '=1+1"),
            ("\"\\n=1+1\"", "\n'=1+1"),
            ("\"\\t@sum\"", "\t'@sum"),
            ("\"＝1+1\"", "'＝1+1"),
            ("\"＠sum\"", "'＠sum"),
            ("\"a;=1+1\"", "a;'=1+1"),
            ("\"a,+1\"", "a,'+1"),
            ("\"\u{200B}=1+1\"", "\u{200B}'=1+1"),
            ("\"\"", ""),
            ("true", "true"),
        ] {
            assert_eq!(text(raw), expect);
        }
    }
}
