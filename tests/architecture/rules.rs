//! What each module may import, name and call, and the check of one file against it.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Kind, Source, Token};

/// Module, and the modules of this crate that it may import. The table of ARCHITECTURE.md.
#[rustfmt::skip]
pub(crate) const LAYERS: &[(&str, &[&str])] = &[
    ("error",     &[]),
    ("plot",      &[]),
    ("keys",      &["error"]),
    ("audit",     &["error", "keys"]),
    ("telemetry", &["error"]),
    ("media",     &["error"]),
    ("inference", &["error", "telemetry"]),
    ("vision",    &["error", "media"]),
    ("signals",   &["error", "media", "vision"]),
    ("scoring",   &["error", "signals"]),
    ("text",      &["error", "signals", "scoring"]),
    ("session",   &["error", "media", "vision", "signals", "scoring"]),
    ("identity",  &["error", "vision", "signals", "scoring"]),
    ("service",   &["error", "telemetry", "keys", "audit", "media", "inference", "vision", "signals", "scoring", "session", "identity"]),
    ("report",    &["error", "keys", "audit", "text", "media", "vision", "signals", "scoring", "session", "identity", "service"]),
    ("grpc",      &["error", "telemetry", "audit", "text", "media", "vision", "signals", "scoring", "session", "identity", "service", "report"]),
    ("web",       &["error", "telemetry", "audit", "text", "media", "vision", "signals", "scoring", "session", "identity", "service", "report"]),
    ("store",     &["error", "telemetry", "keys", "audit", "media", "vision", "signals", "scoring", "session", "identity", "service"]),
    ("eval",      &["error", "telemetry", "plot", "media", "vision", "signals", "scoring", "session", "identity", "service"]),
    ("loadtest",  &["error", "plot", "media", "scoring", "session", "service", "grpc"]),
    ("config",    &["error", "telemetry", "keys", "media", "inference", "vision", "signals", "scoring", "session", "identity", "service", "grpc", "web", "store", "eval"]),
    ("cli",       &["error", "telemetry", "keys", "audit", "media", "inference", "vision", "signals", "scoring", "session", "identity", "service", "report", "grpc", "web", "store", "eval", "loadtest", "config", "text"]),
];

/// Everything but the core: modules that run threads, talk to the outside or wire.
const OUTER: &[&str] =
    &["telemetry", "inference", "service", "grpc", "web", "store", "eval", "loadtest", "config", "cli"];

/// Crates and paths of crates that only the named modules may mention.
#[rustfmt::skip]
const FENCES: &[(&str, &[&str])] = &[
    ("ort",                         &["inference"]),
    ("opencv",                      &["media", "vision"]),
    ("ffmpeg_the_third",            &["media"]),
    ("tonic",                       &["grpc", "cli"]),
    ("tonic_health",                &["grpc", "cli"]),
    ("tonic_prost",                 &["grpc"]),
    ("tonic_reflection",            &["grpc"]),
    ("tonic_types",                 &["grpc", "cli"]),
    // The ONNX files that conversion writes are protocol buffers too.
    ("prost",                       &["grpc", "inference"]),
    ("prost_types",                 &["grpc", "cli"]),
    ("axum",                        &["telemetry", "web"]),
    ("maud",                        &["web"]),
    ("hyper",                       &["web"]),
    ("hyper_util",                  &["web"]),
    ("jsonwebtoken",                &["web"]),
    ("ring",                        &["web"]),
    ("rustls_native_certs",         &["web"]),
    ("tokio_rustls",                &["web"]),
    ("krilla",                      &["report"]),
    ("notosans",                    &["report"]),
    ("chacha20poly1305",            &["keys"]),
    ("metrics_exporter_prometheus", &["telemetry"]),
    ("sqlx",                        &["store"]),
    ("postcard",                    &["store"]),
    ("ed25519_dalek",               &["keys"]),
    ("argon2",                      &["service"]),
    ("fluent_bundle",               &["text"]),
    ("figment",                     &["config"]),
    ("clap",                        &["config", "cli"]),
    ("anyhow",                      &["cli"]),
    ("indicatif",                   &["cli"]),
    ("tokio",                       OUTER),
    ("tokio_stream",                OUTER),
    ("tokio_util",                  OUTER),
    ("serde::Serialize",            &["audit", "telemetry", "inference", "service", "report", "grpc", "web", "store", "eval", "loadtest", "config", "cli"]),
    ("Instant::now",                OUTER),
    ("SystemTime::now",             &["telemetry", "service", "store", "cli"]),
    ("Timestamp::now",              &["telemetry", "service", "store", "cli"]),
    ("Zoned::now",                  &["telemetry", "service", "store", "cli"]),
    ("rand::rng",                   OUTER),
    ("rand::random",                &["keys", "telemetry", "inference", "service", "grpc", "web", "store", "eval", "loadtest", "config", "cli"]),
    ("env::var",                    &["config"]),
    ("env::var_os",                 &["config"]),
    ("env::vars",                   &["config"]),
    ("env::vars_os",                &["config"]),
    // Waiting for a registry client to end; nothing that serves requests may block a thread.
    ("thread::sleep",               &["inference"]),
    ("std::net",                    OUTER),
    ("std::process",                OUTER),
    ("std::fs",                     &["keys", "media", "inference", "service", "grpc", "store", "eval", "loadtest", "config", "cli", "telemetry"]),
];

/// Macros that say that something is not finished or was left behind.
const UNFINISHED: &[&str] = &["todo", "unimplemented", "dbg"];

/// Longest file, without its test module. House rule: 100 to 250 is usual, look for a split at 400.
const MAX_FILE_LINES: usize = 600;

/// Checks one file's text. `depth` is 1 for `src/media.rs`, 2 for `src/media/time.rs`, and so on.
pub(crate) fn check(module: &str, depth: usize, text: &str) -> BTreeSet<String> {
    let source = Source::new(text);
    let tokens = source.tokens();
    let mut broken = BTreeSet::new();
    let mut aliases = BTreeMap::new();
    for path in paths(&tokens) {
        let mut segments = path.segments.clone();
        if let Some(meant) = segments.first().and_then(|first| aliases.get(first)) {
            let meant: &Vec<&str> = meant;
            segments.splice(0..1, meant.iter().copied());
        }
        if let (Some(alias), true) = (path.alias, path.kind != PathKind::Expression) {
            aliases.insert(alias, segments.clone());
        }
        for complaint in complaints(module, depth, &segments, path.kind) {
            broken.insert(format!("{}: {complaint}", path.line));
        }
    }
    for pair in tokens.windows(2) {
        if let [Token { kind: Kind::Ident(name), line }, Token { kind: Kind::Mark('!'), .. }] = pair
            && UNFINISHED.contains(name)
        {
            broken.insert(format!("{line}: {name}! is unfinished work"));
        }
    }
    if source.shipped_lines > MAX_FILE_LINES {
        broken.insert(format!("1: {} lines, split at {MAX_FILE_LINES}", source.shipped_lines));
    }
    broken
}

/// What is wrong with one path in one module.
fn complaints(module: &str, depth: usize, segments: &[&str], kind: PathKind) -> Vec<String> {
    let mut found = Vec::new();
    match segments {
        ["super", "super", ..] => found.push("write `crate::module::` instead of `super::super`".to_owned()),
        ["crate", "{", ..] => found.push("write one `use crate::module::` per module".to_owned()),
        ["crate", target, ..] => found.extend(foreign(module, target, kind)),
        ["super", target, ..] if depth == 1 => found.extend(foreign(module, target, kind)),
        _ => {}
    }
    for (fence, owners) in FENCES {
        let fenced: Vec<&str> = fence.split("::").collect();
        // A crate fences a path's start, a path or call any part of it.
        let crosses = match fenced.as_slice() {
            [krate] => segments.first() == Some(krate) && kind != PathKind::Word,
            parts => segments.windows(parts.len()).any(|window| window == parts),
        };
        if crosses && !owners.contains(&module) {
            found.push(format!("{module} must not use {fence}; only {owners:?} may"));
        }
    }
    found
}

/// The complaint about reaching into module `target` of this crate, if any.
fn foreign(module: &str, target: &str, kind: PathKind) -> Option<String> {
    let known = LAYERS.iter().any(|(name, _)| *name == target);
    if target == module || (!known && target != "*") {
        return None;
    }
    let allowed = LAYERS.iter().find(|(name, _)| *name == module).is_some_and(|(_, allowed)| allowed.contains(&target));
    if !allowed {
        return Some(format!("{module} must not use crate::{target}"));
    }
    (kind == PathKind::Reexport).then(|| format!("{module} must not pass crate::{target} on with `pub use`"))
}

/// Where a path stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PathKind {
    /// In a `use` without `pub`, or in an `extern crate`.
    Import,
    /// In a `pub use`.
    Reexport,
    /// In other code, of at least two segments or with leading `::`.
    Expression,
    /// A single word in other code, which may be a local name.
    Word,
}

/// A path with its group expanded: `use a::{b, c as d}` gives `a::b` and `a::c` with alias `d`.
#[derive(Debug)]
struct Path<'a> {
    segments: Vec<&'a str>,
    alias: Option<&'a str>,
    kind: PathKind,
    line: usize,
}

/// Every path that the tokens name.
fn paths<'a>(tokens: &[Token<'a>]) -> Vec<Path<'a>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Ident("use") => {
                let kind = if is_public(&tokens[..at]) { PathKind::Reexport } else { PathKind::Import };
                at = use_tree(tokens, at + 1, &[], kind, &mut found);
            }
            Kind::Ident("extern") if matches!(tokens.get(at + 1).map(|next| next.kind), Some(Kind::Ident("crate"))) => {
                at = use_tree(tokens, at + 2, &[], PathKind::Import, &mut found);
            }
            Kind::Ident(_) if at > 0 && tokens[at - 1].kind == Kind::Mark('.') => at += 1,
            Kind::Ident(_) => at = expression(tokens, at, &mut found),
            Kind::Separator | Kind::Mark(_) => at += 1,
        }
    }
    found
}

/// Whether the tokens before a `use` end in `pub` or `pub(…)`; `pub(super)` and the like stay inside the module.
fn is_public(before: &[Token<'_>]) -> bool {
    matches!(before.last().map(|token| token.kind), Some(Kind::Ident("pub")))
}

/// Reads a path in code that starts at `at`; answers the position after it.
fn expression<'a>(tokens: &[Token<'a>], mut at: usize, found: &mut Vec<Path<'a>>) -> usize {
    let line = tokens[at].line;
    let rooted = at > 0 && tokens[at - 1].kind == Kind::Separator;
    let mut segments = Vec::new();
    while let Some(Token { kind: Kind::Ident(name), .. }) = tokens.get(at) {
        segments.push(*name);
        at += 1;
        let follows = matches!(tokens.get(at..at + 2), Some([a, b]) if a.kind == Kind::Separator && matches!(b.kind, Kind::Ident(_)));
        if !follows {
            break;
        }
        at += 1;
    }
    let kind = if segments.len() > 1 || rooted { PathKind::Expression } else { PathKind::Word };
    found.push(Path { segments, alias: None, kind, line });
    at
}

/// Reads a use tree that starts at `at`, below `prefix`; answers the position of the token that ends it.
fn use_tree<'a>(
    tokens: &[Token<'a>],
    mut at: usize,
    prefix: &[&'a str],
    kind: PathKind,
    found: &mut Vec<Path<'a>>,
) -> usize {
    let line = tokens.get(at).map_or(0, |token| token.line);
    let mut segments = prefix.to_vec();
    let mut alias = None;
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Ident("as") => {
                if let Some(Token { kind: Kind::Ident(name), .. }) = tokens.get(at + 1) {
                    alias = Some(*name);
                }
                at += 1;
            }
            Kind::Ident("self") if !segments.is_empty() => {}
            Kind::Ident(name) => segments.push(name),
            Kind::Mark('*') => segments.push("*"),
            Kind::Mark('{') => {
                if segments == ["crate"] {
                    found.push(Path { segments: vec!["crate", "{"], alias: None, kind, line });
                }
                loop {
                    at = use_tree(tokens, at + 1, &segments, kind, found);
                    if !matches!(tokens.get(at).map(|token| token.kind), Some(Kind::Mark(','))) {
                        break;
                    }
                }
                return at + 1;
            }
            Kind::Separator => {}
            Kind::Mark(_) => break,
        }
        at += 1;
    }
    if segments.len() > prefix.len() || alias.is_some() || !prefix.is_empty() {
        let alias = alias.or(segments.last().copied());
        found.push(Path { segments, alias, kind, line });
    }
    at
}
