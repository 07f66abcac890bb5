use std::path::PathBuf;

use figment::Figment;
use figment::error::Kind;

use super::layers::Layer;
use super::{Config, ConfigError, Flag, LoadedConfig, Sources};

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let home = ("HOME", "/home/operator");
    std::iter::once(&home).chain(pairs).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn load(file: Option<&str>, pairs: &[(&str, &str)], flags: Vec<Flag>) -> Result<LoadedConfig, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bonafide.toml");
    let file = file.map(|text| {
        std::fs::write(&path, text).expect("writes");
        path
    });
    LoadedConfig::load(&Sources::new(file, variables(pairs), flags))
        .map_err(|error| error.to_string().replace(&folder.path().display().to_string(), "FOLDER"))
}

fn refusal(file: Option<&str>, pairs: &[(&str, &str)], flags: Vec<Flag>) -> String {
    load(file, pairs, flags).expect_err("is refused")
}

/// The keys that a section of [`Config`] takes, as serde knows them.
fn keys_of(path: &[&str]) -> Vec<String> {
    let bogus = path.iter().rev().fold("bogus = 1".to_owned(), |inner, name| format!("{name} = {{ {inner} }}"));
    let layer: Layer = Layer { origin: String::new(), values: toml::from_str(&bogus).expect("is TOML") };
    let defaults = Layer::defaults().expect("is TOML");
    let error = Figment::new().merge(&defaults).merge(&layer).extract::<Config>().expect_err("bogus is unknown");
    let Kind::UnknownField(_, known) = error.kind else { panic!("{path:?} takes unknown keys: {}", error.kind) };
    known.iter().map(|key| (*key).to_owned()).collect()
}

#[test]
fn the_shipped_defaults_are_those_of_the_code_and_name_every_key() {
    let defaults = Layer::defaults().expect("is TOML");
    let config: Config = Figment::new().merge(&defaults).extract().expect("loads");
    assert_eq!(config, Config::default());
    let sorted = |mut keys: Vec<String>| {
        keys.sort();
        keys
    };
    assert_eq!(sorted(keys_of(&[])), defaults.values.keys().cloned().collect::<Vec<_>>());
    for (section, values) in &defaults.values {
        let listed: Vec<_> = values.as_dict().expect("is a section").keys().cloned().collect();
        let always = |key: &String| !super::keys::OPTIONAL.contains(&format!("{section}.{key}").as_str());
        let expected: Vec<_> = sorted(keys_of(&[section])).into_iter().filter(always).collect();
        assert_eq!(expected, listed, "{section}");
    }
}

#[test]
fn every_shipped_file_loads_and_explains_each_key() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/config"));
    let mut n_files = 0;
    for entry in std::fs::read_dir(folder).expect("is there") {
        let path = entry.expect("is there").path();
        // Scoring policy and search calibration are files of their own kinds; `scoring` and `identity` test them.
        let is_other = ["policy.toml", "search.toml", "scene.toml"].iter().any(|name| path.ends_with(name));
        if path.extension().is_some_and(|extension| extension == "toml") && !is_other {
            let sources = Sources::new(Some(path.clone()), variables(&[]), Vec::new());
            LoadedConfig::load(&sources).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let text = std::fs::read_to_string(&path).expect("reads");
            let lines: Vec<_> = text.lines().collect();
            for pair in lines.windows(2) {
                assert!(
                    !pair[1].contains(" = ") || pair[1].starts_with('#') || pair[0].starts_with('#'),
                    "{}",
                    pair[1]
                );
            }
            n_files += 1;
        }
    }
    assert!(n_files >= 1);
}

#[test]
fn later_layers_win_and_the_outcome_names_them() {
    let file = "[store]\nmax_pending_writes = 10\nmax_batch_writes = 20\nread_connections = 3\n";
    let pairs = [("BONAFIDE__STORE__MAX_BATCH_WRITES", "30"), ("BONAFIDE__STORE__READ_CONNECTIONS", "5")];
    let flag = Flag { flag: "--readers", key: "store.read_connections", value: "7".to_owned() };
    let loaded = load(Some(file), &pairs, vec![flag]).expect("loads");
    let store = &loaded.get().store;
    assert_eq!((store.max_pending_writes, store.max_batch_writes, store.read_connections), (10, 30, 7));
    let shown = loaded.show().expect("shows");
    assert!(shown.contains("read_connections = 7  # flag --readers"), "{shown}");
    assert!(
        shown.contains("max_batch_writes = 30  # environment variable BONAFIDE__STORE__MAX_BATCH_WRITES"),
        "{shown}"
    );
    assert!(shown.contains("busy_timeout_millis = 5000\n"), "{shown}");
    assert!(shown.contains("database = \"/home/operator/.local/share/bonafide/bonafide.sqlite\""), "{shown}");
    let again = load(Some(&shown), &[], Vec::new()).expect("what is shown is a configuration");
    assert_eq!(again.get(), loaded.get());
}

#[test]
fn unknown_keys_stop_the_start() {
    for (file, pairs, expected) in [
        (
            "[store]\nmax_batch_write = 1\n",
            &[][..],
            "unknown key store.max_batch_write in FOLDER/bonafide.toml: did you mean max_batch_writes?",
        ),
        ("[stor]\n", &[], "unknown key stor in FOLDER/bonafide.toml: did you mean store?"),
        (
            "colour = 1\n",
            &[],
            "unknown key colour in FOLDER/bonafide.toml: known here: audit, evidence, grpc, identity, inference, keys, media, \
             scoring, service, store, telemetry, web",
        ),
        (
            "",
            &[("BONAFIDE__MEDIA__MAX_SIDE", "1")],
            "unknown key media.max_side in environment variable BONAFIDE__MEDIA__MAX_SIDE: did you mean max_side_px?",
        ),
        ("", &[("BONAFIDE__", "1")], "unknown key  in environment variable BONAFIDE__: known here: audit"),
    ] {
        let said = refusal(Some(file), pairs, Vec::new());
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn invalid_values_are_said_with_key_origin_and_what_is_allowed() {
    for (file, pairs, parts) in [
        (
            "[store]\nread_connections = \"many\"\n",
            &[][..],
            ["store.read_connections", "FOLDER/bonafide.toml", "expected u32"],
        ),
        ("[store]\nread_connections = -1\n", &[], ["store.read_connections", "FOLDER/bonafide.toml", "u32"]),
        (
            "[inference]\nprovider = \"tpu\"\n",
            &[],
            ["inference.provider", "FOLDER/bonafide.toml", "\"tpu\" is none of \"auto\", \"cpu\", \"cuda\""],
        ),
        (
            "",
            &[("BONAFIDE__STORE__MAX_BATCH_WRITES", "0")],
            ["store.max_batch_writes", "BONAFIDE__STORE__MAX_BATCH_WRITES", "1 to 100000"],
        ),
        (
            "",
            &[("BONAFIDE__TELEMETRY__OPS_LISTEN", "here")],
            ["telemetry.ops_listen", "BONAFIDE__TELEMETRY__OPS_LISTEN", "socket address"],
        ),
        (
            "[service]\ncommit_interval_millis = 0\n",
            &[],
            ["service.commit_interval_millis", "FOLDER/bonafide.toml", "1 to 10000"],
        ),
        ("[media]\nmax_aspect_ratio = 0.0\n", &[], ["media.max_aspect_ratio", "FOLDER/bonafide.toml", "1 to 100"]),
        (
            "[telemetry]\nlog_level = \"bonafide=loud\"\n",
            &[],
            ["telemetry.log_level", "FOLDER/bonafide.toml", "debug or trace"],
        ),
        ("store = 3\n", &[], ["store", "FOLDER/bonafide.toml", "struct StoreOptions"]),
        ("[store\n", &[], ["FOLDER/bonafide.toml", "not valid TOML", "line 1"]),
    ] {
        let said = refusal(Some(file), pairs, Vec::new());
        for part in parts {
            assert!(said.contains(part), "{part} is missing in: {said}");
        }
    }
}

#[test]
fn an_identity_provider_is_set_in_a_file_and_its_secret_in_the_environment() {
    let file = "[web.oidc]\nissuer = \"https://id.example.org\"\nclient_id = \"bonafide\"\n\
                groups = [{ group = \"interviews\", roles = [\"reviewer\"] }]\n";
    let pairs = [("BONAFIDE__WEB__OIDC__CLIENT_SECRET", "s3cret")];
    let loaded = load(Some(file), &pairs, Vec::new()).expect("loads");
    let oidc = loaded.get().web.oidc.clone().expect("is set");
    assert_eq!(
        (oidc.groups.len(), oidc.client_secret == crate::web::ClientSecret::new("s3cret".to_owned())),
        (1, true)
    );
    let shown = loaded.show().expect("shows");
    assert!(shown.contains("https://id.example.org") && !shown.contains("s3cret"), "{shown}");
    for (file, pairs, parts) in [
        ("", &pairs[..], ["web.oidc", "missing field"]),
        (file, &[("BONAFIDE__WEB__OIDC__CLIENT_SECRET", "[17]")], ["web.oidc.client_secret", "expected"]),
        (file, &[("BONAFIDE__WEB__OIDC__ISSUER", "http://id.example.org")], ["web.oidc.issuer", "https://HOST"]),
        (file, &[("BONAFIDE__WEB__OIDC__CLIENT", "x")], ["client", "unknown field"]),
        (
            file,
            &[("BONAFIDE__WEB__LISTEN", "0.0.0.0:1"), ("BONAFIDE__WEB__ALLOW_PLAINTEXT_ON_PUBLIC_ADDRESS", "true")],
            ["web.public_origin", "web.oidc needs it"],
        ),
    ] {
        let said = refusal(Some(file), pairs, Vec::new());
        for part in parts {
            assert!(said.contains(part), "{part} is missing in: {said}");
        }
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn paths_default_to_the_base_directories() {
    let pairs = [("XDG_DATA_HOME", "/srv/data"), ("XDG_CACHE_HOME", "relative/is/ignored")];
    let config = load(None, &pairs, Vec::new()).expect("loads").into_inner();
    assert_eq!(config.store.database, PathBuf::from("/srv/data/bonafide/bonafide.sqlite"));
    assert_eq!(config.inference.models_dir, PathBuf::from("/home/operator/.cache/bonafide/models"));
    let homeless = LoadedConfig::load(&Sources::new(None, [], Vec::new())).expect_err("has no home");
    assert!(matches!(homeless, ConfigError::NoHome { key: "store.database" }), "{homeless}");
}

#[test]
fn a_named_file_that_is_missing_stops_the_start() {
    let sources = Sources::new(Some(PathBuf::from("/nowhere/bonafide.toml")), variables(&[]), Vec::new());
    let error = LoadedConfig::load(&sources).expect_err("is missing");
    assert!(error.to_string().contains("/nowhere/bonafide.toml"), "{error}");
}

#[test]
fn an_address_that_is_refused_names_its_key_once() {
    let said = refusal(Some("[grpc]\nlisten = \"0.0.0.0:1\"\n"), &[], Vec::new());
    assert!(said.starts_with("grpc.listen (from FOLDER/bonafide.toml): 0.0.0.0:1 can be reached"), "{said}");
}
