//! `bonafide identity`: the identity ledger from the machine's command line.

mod output;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::audit::{Actor, ActorKind};
use crate::config::Config;
use crate::identity::{ScenePolicy, SearchPolicy};
use crate::keys::KeyFile;
use crate::service::ports::{
    Clock, FaceName, MatchFilter, MatchVerdict, PageRequest, Pair, ReferenceId, ReferenceName, ReferencePurpose,
    SessionStore, TemplateKind,
};
use crate::service::{
    Caller, Enrolment, Identities, IdentityParts, Interviews, NewReference, Permission, ReferenceSource, SceneFigures,
    SceneSearch, SearchFigures, SearchRequest, SessionFace, Subject,
};
use crate::session::{CandidateId, ParticipantId, SessionId, TenantId};
use crate::store::SqlStore;
use crate::text::{Language, reason as sentence};

use super::engine::Engine;
use super::error::UsageError;
use super::global::GlobalArgs;
use super::serve::SystemClock;

/// Entries of one page that is read.
const PAGE_SIZE: u32 = 500;
/// Largest picture that is read.
const MAX_PICTURE_BYTES: u64 = 16 * 1024 * 1024;
/// Seconds in a day.
const DAY_SECS: i64 = 86_400;

/// What to do with the identity ledger.
#[derive(Clone, Debug, Args)]
pub struct IdentityArgs {
    /// Whose data
    #[arg(long, global = true, value_name = "TENANT", default_value = TenantId::DEFAULT)]
    tenant: String,
    /// One JSON object a line instead of a table
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: IdentityCommand,
}

/// A face is `sessions/ID`, `sessions/ID/participants/ID`, `sessions/ID/participants/ID/persons/N`,
/// `candidates/ID/references/ID` or `image:FILE`.
#[derive(Clone, Debug, Subcommand)]
enum IdentityCommand {
    /// Lists every session and reference that a face was in; the face of a session, of a reference, or of a picture
    Hunt {
        #[command(flatten)]
        face: FaceArgs,
        /// False matches to expect of each search [default: the operator's figure, or the least that the data vouch for]
        #[arg(long, value_name = "N")]
        max_false_matches: Option<f64>,
    },
    /// Searches a face among all others
    Search {
        #[command(flatten)]
        face: FaceArgs,
        /// False matches to expect of the search [default: the operator's figure, or the least that the data vouch for]
        #[arg(long, value_name = "N")]
        max_false_matches: Option<f64>,
        /// At most so many hits
        #[arg(long, value_name = "N", default_value_t = 50)]
        max_hits: u32,
    },
    /// Searches for sessions that were held in the same place as one
    Scenes {
        /// The session: ID, or ID/participants/ID
        #[arg(long, value_name = "ID")]
        session: String,
        /// False matches to expect of the search [default: the operator's figure, or the least that the data vouch for]
        #[arg(long, value_name = "N")]
        max_false_matches: Option<f64>,
        /// At most so many hits
        #[arg(long, value_name = "N", default_value_t = 50)]
        max_hits: u32,
    },
    /// Compares two faces, and the places behind them
    Compare {
        /// One
        first: String,
        /// The other
        second: String,
    },
    /// Says that two faces are one person's or two people's, or with --scene the same of the places behind them
    Confirm {
        /// One
        first: String,
        /// The other
        second: String,
        /// What they are
        #[arg(value_enum)]
        verdict: VerdictArg,
        /// Of the places behind the faces
        #[arg(long)]
        scene: bool,
        /// Why
        #[arg(long, default_value = "", hide_default_value = true)]
        note: String,
    },
    /// Lists pairs of faces that the machine proposes or people spoke of
    Matches {
        /// Only those of which no person said anything
        #[arg(long)]
        open: bool,
    },
    /// Lists candidates
    Candidates,
    /// Shows a candidate's ledger: references and sessions, compared with each other
    Show {
        /// The candidate's id
        candidate: String,
    },
    /// Enrols a reference of a candidate; a picture is not kept
    Enroll {
        /// The candidate's id
        candidate: String,
        #[command(flatten)]
        face: FaceArgs,
        /// What it shows
        #[arg(long, value_enum, default_value_t = PurposeArg::Applied)]
        purpose: PurposeArg,
        /// Where consent is filed; a session's own when left out
        #[arg(long, default_value = "", hide_default_value = true, value_name = "REFERENCE")]
        consent: String,
        /// For people
        #[arg(long, default_value = "", hide_default_value = true)]
        display_name: String,
        /// Days after which it is deleted [default: the operator's retention]
        #[arg(long, value_name = "DAYS")]
        expire_days: Option<u32>,
    },
    /// Deletes a reference with its template
    Forget {
        /// candidates/ID/references/ID
        reference: String,
    },
    /// Puts a face on the watch list
    Watch {
        /// The face
        face: String,
        /// Why
        #[arg(long, default_value = "", hide_default_value = true)]
        note: String,
    },
    /// Takes a face off the watch list
    Unwatch {
        /// The face
        face: String,
    },
    /// Lists the watch list
    Watched,
    /// Makes templates of sessions that ended before the ledger was enabled
    Gather {
        /// Sessions that ended within so many days
        #[arg(long, value_name = "DAYS")]
        days: u32,
    },
}

/// Whose face.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
struct FaceArgs {
    /// A face of a session: ID, or ID/participants/ID/persons/N
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// A reference: candidates/ID/references/ID
    #[arg(long, value_name = "NAME")]
    reference: Option<String>,
    /// A still picture of one person: JPEG, PNG or WebP
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
}

impl FaceArgs {
    fn subject(&self) -> anyhow::Result<Subject> {
        match (&self.session, &self.reference, &self.image) {
            (Some(session), ..) => session_subject(session),
            (_, Some(reference), _) => subject(reference),
            (_, _, Some(image)) => picture(image),
            (None, None, None) => Err(UsageError("no face: use --session, --reference or --image".to_owned()).into()),
        }
    }
}

/// What a person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum VerdictArg {
    /// They are one person's, or one place
    Same,
    /// They are two people's, or two places
    Different,
}

/// What a reference shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PurposeArg {
    /// Who applied: the picture of an application or of an identity document
    Applied,
    /// Who was interviewed
    Interviewed,
    /// Who was hired
    Hired,
}

impl IdentityArgs {
    /// Runs the command on the configured store; a running server may go on.
    ///
    /// # Errors
    /// When the ledger is off, the store cannot be used, or a face is not there.
    pub fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        let loaded = global.load_config([])?;
        let _telemetry = super::quiet_telemetry(&loaded.get().telemetry)?;
        // Models are loaded only for what looks at a picture.
        let engine = if self.needs_models() { Some(Engine::start(loaded.get(), None)?) } else { None };
        super::runtime()?.block_on(self.apply(loaded.get(), engine))
    }

    fn needs_models(&self) -> bool {
        let is_picture = |name: &String| name.starts_with("image:");
        match &self.command {
            IdentityCommand::Hunt { face, .. }
            | IdentityCommand::Search { face, .. }
            | IdentityCommand::Enroll { face, .. } => face.image.is_some(),
            IdentityCommand::Compare { first, second } => is_picture(first) || is_picture(second),
            IdentityCommand::Confirm { .. }
            | IdentityCommand::Scenes { .. }
            | IdentityCommand::Matches { .. }
            | IdentityCommand::Candidates
            | IdentityCommand::Show { .. }
            | IdentityCommand::Forget { .. }
            | IdentityCommand::Watch { .. }
            | IdentityCommand::Unwatch { .. }
            | IdentityCommand::Watched
            | IdentityCommand::Gather { .. } => false,
        }
    }

    async fn apply(&self, config: &Config, engine: Option<Engine>) -> anyhow::Result<()> {
        let tenant = TenantId::new(&self.tenant).map_err(|error| UsageError(format!("--tenant: {}", error.problem)))?;
        let keys = KeyFile::load(&config.keys.file).context("cannot open what is sealed")?;
        let store = SqlStore::open(&config.store, keys.signing_key(), &keys.verifying_keys())
            .await
            .context("cannot open the store")?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock { start: Instant::now() });
        let sessions = Arc::clone(&store) as Arc<dyn SessionStore>;
        let policy = match &engine {
            Some(engine) => Arc::clone(&engine.policy),
            None => Arc::new(super::engine::load_policy(config, None)?.0),
        };
        let interviews = engine.map(|engine| {
            let options = config.service.clone();
            Interviews::start(Arc::clone(&sessions), Arc::clone(&clock), engine.pipeline, engine.policy, options)
        });
        let interviews = interviews.transpose()?;
        let parts = IdentityParts {
            store: Arc::clone(&store) as _,
            sessions,
            data_keys: Arc::clone(&store) as _,
            sealing: keys.sealing_keys(),
            clock,
            policy,
            search: SearchPolicy::shipped(),
            scenes: ScenePolicy::shipped(),
        };
        let identities = Identities::new(parts, config.identity.clone(), interviews.as_ref())?;
        let caller = Caller {
            tenant,
            actor: Actor { kind: ActorKind::CommandLine, name: "operator".to_owned() },
            permissions: [Permission::Identity].into(),
        };
        let outcome = self.carry_out(&identities, &caller).await;
        store.close().await;
        outcome
    }

    async fn carry_out(&self, identities: &Identities, caller: &Caller) -> anyhow::Result<()> {
        match &self.command {
            IdentityCommand::Hunt { face, max_false_matches } => {
                let hunt = identities.hunt(caller, &face.subject()?, *max_false_matches).await?;
                self.print(hunt.found.iter().map(output::hunted), output::HUNT_HEAD);
                print_figures(&hunt.figures);
            }
            IdentityCommand::Search { face, max_false_matches, max_hits } => {
                let (subject, max_false_matches) = (face.subject()?, *max_false_matches);
                let request = SearchRequest { subject, max_false_matches, max_hits: *max_hits };
                let answer = identities.search(caller, &request).await?;
                self.print(answer.hits.iter().map(output::hit), output::SEARCH_HEAD);
                print_figures(&answer.figures);
            }
            IdentityCommand::Scenes { session, max_false_matches, max_hits } => {
                let (subject, max_false_matches) = (session_subject(session)?, *max_false_matches);
                let request = SceneSearch { subject, max_false_matches, max_hits: *max_hits };
                let answer = identities.search_scene(caller, &request).await?;
                self.print(answer.matches.iter().map(output::scene), output::SCENES_HEAD);
                print_scene_figures(&answer.figures);
            }
            IdentityCommand::Compare { first, second } => {
                let comparison = identities.compare(caller, &subject(first)?, &subject(second)?).await?;
                self.print([output::comparison(&comparison)], output::COMPARE_HEAD);
            }
            IdentityCommand::Confirm { first, second, verdict, scene, note } => {
                let kind = if *scene { TemplateKind::Scene } else { TemplateKind::Face };
                let verdict = match verdict {
                    VerdictArg::Same => MatchVerdict::Same,
                    VerdictArg::Different => MatchVerdict::Different,
                };
                identities
                    .confirm(caller, Pair::of(kind, (&subject(first)?, &subject(second)?)), verdict, note)
                    .await?;
            }
            IdentityCommand::Matches { open } => self.list_matches(identities, caller, *open).await?,
            IdentityCommand::Candidates => {
                let mut page = PageRequest { size: PAGE_SIZE, token: None };
                loop {
                    let found = identities.candidates(caller, &page).await?;
                    self.print(found.items.iter().map(output::candidate), output::CANDIDATES_HEAD);
                    page.token = found.next_page_token;
                    if page.token.is_none() {
                        break;
                    }
                }
            }
            IdentityCommand::Show { candidate } => {
                let ledger = identities.candidate(caller, &candidate_id(candidate)?).await?;
                self.print(ledger.entries.iter().map(output::entry), output::ENTRIES_HEAD);
                self.print(ledger.pairs.iter().map(|pair| output::ledger_pair(&ledger, pair)), output::PAIRS_HEAD);
            }
            IdentityCommand::Enroll { candidate, face, purpose, consent, display_name, expire_days } => {
                let new = new_reference(candidate, face, *purpose, *expire_days)?;
                let new =
                    NewReference { consent_reference: consent.clone(), display_name: display_name.clone(), ..new };
                match identities.enroll_reference(caller, new).await? {
                    Enrolment::Kept(reference) => {
                        println!(
                            "{}",
                            if self.json {
                                json!({ "reference": reference.name.to_string() }).to_string()
                            } else {
                                reference.name.to_string()
                            }
                        );
                    }
                    Enrolment::Refused(reasons) => {
                        let words: Vec<_> = reasons.iter().map(|reason| sentence(Language::En, reason)).collect();
                        anyhow::bail!("the picture cannot be used: {}", words.join("; "));
                    }
                }
            }
            IdentityCommand::Forget { reference } => {
                identities.delete_reference(caller, &reference_name(reference)?).await?;
            }
            IdentityCommand::Watch { face, note } => identities.watch(caller, &subject(face)?, note).await?,
            IdentityCommand::Unwatch { face } => identities.unwatch(caller, &subject(face)?).await?,
            IdentityCommand::Watched => {
                let mut page = PageRequest { size: PAGE_SIZE, token: None };
                loop {
                    let found = identities.watched(caller, &page).await?;
                    self.print(found.items.iter().map(output::watched), output::WATCHED_HEAD);
                    page.token = found.next_page_token;
                    if page.token.is_none() {
                        break;
                    }
                }
            }
            IdentityCommand::Gather { days } => {
                let n_sessions = identities.gather(caller, *days).await?;
                println!("looked into {n_sessions} sessions");
            }
        }
        Ok(())
    }

    async fn list_matches(&self, identities: &Identities, caller: &Caller, open: bool) -> anyhow::Result<()> {
        let filter = if open { MatchFilter::Open } else { MatchFilter::All };
        let mut page = PageRequest { size: PAGE_SIZE, token: None };
        loop {
            let found = identities.matches(caller, &filter, &page).await?;
            self.print(found.items.iter().map(output::pair), output::MATCHES_HEAD);
            page.token = found.next_page_token;
            if page.token.is_none() {
                return Ok(());
            }
        }
    }

    /// Prints lines: JSON objects, or their values as a table below `head`.
    fn print(&self, lines: impl IntoIterator<Item = Value>, head: &[(&str, usize)]) {
        if !self.json {
            println!("{}", output::head(head));
        }
        for line in lines {
            println!("{}", if self.json { line.to_string() } else { output::row(&line, head) });
        }
    }
}

/// Says what stands behind a search, beside the result, which scripts read.
fn print_figures(figures: &SearchFigures) {
    eprintln!("{}", output::figures(figures));
}

/// The same of a search for a place.
fn print_scene_figures(figures: &SceneFigures) {
    eprintln!("{}", output::scene_figures(figures));
}

fn new_reference(
    candidate: &str,
    face: &FaceArgs,
    purpose: PurposeArg,
    expire_days: Option<u32>,
) -> anyhow::Result<NewReference> {
    let source = match face.subject()? {
        Subject::Session(face) => ReferenceSource::Session(face),
        Subject::Picture(picture) => ReferenceSource::Picture(picture),
        Subject::Reference(_) => {
            return Err(UsageError("--reference: a reference is made of a session or of a picture".to_owned()).into());
        }
    };
    let retention = expire_days.map(|days| SignedDuration::from_secs(i64::from(days) * DAY_SECS));
    let expire_time = retention.map(|retention| Timestamp::now().checked_add(retention)).transpose()?;
    Ok(NewReference {
        candidate: candidate_id(candidate)?,
        display_name: String::new(),
        purpose: match purpose {
            PurposeArg::Applied => ReferencePurpose::Applied,
            PurposeArg::Interviewed => ReferencePurpose::Interviewed,
            PurposeArg::Hired => ReferencePurpose::Hired,
        },
        source,
        consent_reference: String::new(),
        expire_time,
    })
}

/// Somebody of a session, by its id or name.
fn session_subject(session: &str) -> anyhow::Result<Subject> {
    subject(&if session.starts_with("sessions/") { session.to_owned() } else { format!("sessions/{session}") })
}

/// The face that a text names.
fn subject(text: &str) -> anyhow::Result<Subject> {
    if let Some(file) = text.strip_prefix("image:") {
        return picture(&PathBuf::from(file));
    }
    if text.starts_with("candidates/") {
        return Ok(FaceName::Reference(reference_name(text)?).into());
    }
    let wrong = || {
        UsageError(format!(
            "{text:?} is no face: use sessions/ID, sessions/ID/participants/ID/persons/N, candidates/ID/references/ID or \
             image:FILE"
        ))
    };
    let rest = text.strip_prefix("sessions/").ok_or_else(wrong)?;
    let (session, rest) = rest.split_once("/participants/").map_or((rest, None), |(id, rest)| (id, Some(rest)));
    let (participant, person) = match rest {
        None => (None, 0),
        Some(rest) => match rest.rsplit_once("/persons/") {
            None => (Some(rest), 0),
            Some((participant, person)) => (Some(participant), person.parse().map_err(|_| wrong())?),
        },
    };
    Ok(Subject::Session(SessionFace {
        session: SessionId::new(session).map_err(|_| wrong())?,
        participant: participant.map(ParticipantId::new).transpose().map_err(|_| wrong())?,
        person,
    }))
}

fn picture(file: &std::path::Path) -> anyhow::Result<Subject> {
    let what = || format!("cannot read the picture {}", file.display());
    let size = std::fs::metadata(file).with_context(what)?.len();
    if size > MAX_PICTURE_BYTES {
        return Err(UsageError(format!("{}: larger than {MAX_PICTURE_BYTES} bytes", file.display())).into());
    }
    Ok(Subject::Picture(std::fs::read(file).with_context(what)?.into()))
}

fn candidate_id(text: &str) -> Result<CandidateId, UsageError> {
    let id = text.strip_prefix("candidates/").unwrap_or(text);
    CandidateId::new(id).map_err(|error| UsageError(format!("{text:?}: {}", error.problem)))
}

fn reference_name(text: &str) -> Result<ReferenceName, UsageError> {
    let wrong = || UsageError(format!("{text:?} is no reference: use candidates/ID/references/ID"));
    let (candidate, id) =
        text.strip_prefix("candidates/").and_then(|rest| rest.split_once("/references/")).ok_or_else(wrong)?;
    Ok(ReferenceName { candidate: candidate_id(candidate)?, id: ReferenceId::new(id).map_err(|_| wrong())? })
}

#[cfg(test)]
mod tests {
    use super::{Subject, subject};

    #[test]
    fn faces_are_named_as_the_audit_log_names_them() {
        for good in [
            "sessions/abcd-1",
            "sessions/abcd-1/participants/a",
            "sessions/abcd-1/participants/a/b/persons/2",
            "candidates/ats.7/references/r-00112233445566778899aabb",
        ] {
            assert!(subject(good).is_ok(), "{good}");
        }
        let Ok(Subject::Session(face)) = subject("sessions/abcd-1/participants/a/b/persons/2") else {
            panic!("is one")
        };
        assert_eq!((face.participant.expect("is named").as_str(), face.person), ("a/b", 2));
        for bad in
            ["", "abcd-1", "sessions/", "sessions/abcd-1/participants/a/persons/x", "candidates/7", "image:/nowhere"]
        {
            assert!(subject(bad).is_err(), "{bad}");
        }
    }
}
