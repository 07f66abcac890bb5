//! Rust text to tokens, as far as the architecture rules need it: no comments, no literals, no test modules.

/// One token that can matter to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// An identifier or keyword, raw identifiers without their `r#`.
    Ident(&'a str),
    /// `::`
    Separator,
    /// Any other single character that is not white space.
    Mark(char),
}

/// A token and the line it stands on, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind<'a>,
    pub(crate) line: usize,
}

/// A source file without what is not code.
pub(crate) struct Source {
    /// Same lines as the file; comments, literals and `#[cfg(test)]` items are blank.
    code: String,
    /// Lines that are not part of a `#[cfg(test)]` item.
    pub(crate) shipped_lines: usize,
    /// Names of test modules that have a file of their own: `#[cfg(test)] mod name;`.
    pub(crate) test_modules: Vec<String>,
}

impl Source {
    /// Reads the text of one file.
    pub(crate) fn new(text: &str) -> Self {
        let mut code = blank_comments_and_literals(text);
        let mut test_lines = 0;
        let mut test_modules = Vec::new();
        while let Some((start, end)) = test_item(&code) {
            let item = code.get(start..end).unwrap_or_default();
            if let Some(declared) = item.strip_suffix(';') {
                test_modules.extend(declared.rsplit_once("mod ").map(|(_, name)| name.trim().to_owned()));
            }
            test_lines += item.matches('\n').count() + 1;
            let blank: String = item.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
            code.replace_range(start..end, &blank);
        }
        let shipped_lines = text.lines().count().saturating_sub(test_lines);
        Self { code, shipped_lines, test_modules }
    }

    /// The tokens of the code that ships.
    pub(crate) fn tokens(&self) -> Vec<Token<'_>> {
        let mut tokens = Vec::new();
        for (idx, line) in self.code.lines().enumerate() {
            let mut rest = line.trim_start();
            while let Some(first) = rest.chars().next() {
                let word_end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
                let (kind, length) = if rest.starts_with("::") {
                    (Kind::Separator, 2)
                } else if word_end > 0 {
                    (Kind::Ident(&rest[..word_end]), word_end)
                } else {
                    (Kind::Mark(first), first.len_utf8())
                };
                tokens.push(Token { kind, line: idx + 1 });
                rest = rest[length..].trim_start();
            }
        }
        tokens
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Replaces comments and the insides of literals by spaces, byte for byte, keeping line breaks.
fn blank_comments_and_literals(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    let mut after_word = false;
    while let Some(first) = rest.chars().next() {
        let skipped = if after_word { literal_after_word(rest) } else { not_code(rest) };
        if skipped > 0 {
            code.extend(rest[..skipped].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[skipped..];
            after_word = false;
        } else if !after_word && rest.starts_with("r#") {
            code.push_str("  ");
            rest = &rest[2..];
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            after_word = is_word(first);
        }
    }
    code
}

/// Bytes of the comment or literal that `rest` starts with when it follows a word: prefixes such as `b` are part of that word.
fn literal_after_word(rest: &str) -> usize {
    if rest.starts_with(['"', '\'', '/']) { not_code(rest) } else { 0 }
}

/// Bytes of the comment or literal that `rest` starts with; 0 when it starts with code.
fn not_code(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    let body = rest.strip_prefix(['b', 'c']).unwrap_or(rest);
    let prefix = rest.len() - body.len();
    if body.starts_with('"') {
        return prefix + quoted(body, '"');
    }
    if let Some(raw) = body.strip_prefix('r') {
        let fences = raw.len() - raw.trim_start_matches('#').len();
        if let Some(inside) = raw[fences..].strip_prefix('"') {
            let close = format!("\"{}", "#".repeat(fences));
            let length = inside.find(&close).map_or(inside.len(), |at| at + close.len());
            return prefix + 1 + fences + 1 + length;
        }
    }
    if body.starts_with('\'') && is_char_literal(body) {
        return prefix + quoted(body, '\'');
    }
    0
}

/// A lifetime is a quote and a word; a character literal has a second quote after one character or an escape.
fn is_char_literal(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    match chars.next() {
        Some('\\') => true,
        Some(_) => chars.next() == Some('\''),
        None => false,
    }
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Start and end of the first `#[cfg(test)]` item: up to its closing brace, or its semicolon.
fn test_item(code: &str) -> Option<(usize, usize)> {
    const MARK: &str = "#[cfg(test)]";
    let start = code.find(MARK)?;
    let mut depth = 0_usize;
    for (at, c) in code.get(start + MARK.len()..)?.char_indices() {
        let end = start + MARK.len() + at + 1;
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return Some((start, end)),
            '}' => depth -= 1,
            ';' if depth == 0 => return Some((start, end)),
            _ => {}
        }
    }
    Some((start, code.len()))
}
