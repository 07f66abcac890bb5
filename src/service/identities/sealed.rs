//! Templates as sealed bytes, and what the seals are bound to.
//!
//! A template is `version (1) || vectors (u32) || spread (f32) || numbers (u16) || numbers (f32 each)`, little-endian, sealed under
//! the key of its session or candidate with tenant, face, kind and model as associated data: bytes that are moved to another
//! row do not open there. What is behind a face is sealed in the same way, as the bytes that `vision::scene` writes.

use zeroize::Zeroizing;

use crate::identity::{ModelDigest, SCENE_MODEL, Template};
use crate::keys::{DataKey, SealError, SealingKeys};
use crate::service::ports::{FaceName, StoredTemplate, TemplateKind};
use crate::service::session_keys::owner_of;
use crate::session::{CandidateId, SessionName, TenantId};
use crate::vision::scene::SceneDescriptor;

const VERSION: u8 = 1;
/// Bytes before the numbers.
const HEAD_BYTES: usize = 1 + 4 + 4 + 2;

/// What a candidate's wrapped key is bound to. Never that of a session, whose name has one part less.
pub(in crate::service) fn candidate_owner(tenant: &TenantId, candidate: &CandidateId) -> Vec<u8> {
    [b"candidate\0", tenant.as_str().as_bytes(), b"\0", candidate.as_str().as_bytes()].concat()
}

/// What a sealed template is bound to.
fn template_owner(tenant: &TenantId, face: &FaceName, kind: TemplateKind, model: ModelDigest) -> Vec<u8> {
    let (person, parts) = match face {
        FaceName::Session { session, participant, person } => {
            (*person, ["session", session.as_str(), participant.as_str()])
        }
        FaceName::Reference(name) => (0, ["reference", name.candidate.as_str(), name.id.as_str()]),
    };
    let mut owner = Vec::new();
    for part in [tenant.as_str(), kind.as_str()].into_iter().chain(parts) {
        // Ids are at most 128 bytes long.
        owner.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
        owner.extend_from_slice(part.as_bytes());
    }
    owner.extend_from_slice(&person.to_le_bytes());
    owner.extend_from_slice(model.bytes());
    owner
}

/// Seals a face's template.
///
/// # Errors
/// [`SealError::Broken`] never in practice: a template is short.
pub(super) fn seal(
    key: &DataKey,
    tenant: &TenantId,
    face: &FaceName,
    template: &Template,
) -> Result<Vec<u8>, SealError> {
    key.seal(&template_owner(tenant, face, TemplateKind::Face, template.model()), &encode(template))
}

/// Seals what is behind a face.
///
/// # Errors
/// As [`seal`].
pub(super) fn seal_scene(
    key: &DataKey,
    tenant: &TenantId,
    face: &FaceName,
    scene: &SceneDescriptor,
) -> Result<Vec<u8>, SealError> {
    let bytes = Zeroizing::new(scene.to_bytes());
    key.seal(&template_owner(tenant, face, TemplateKind::Scene, SCENE_MODEL), &bytes)
}

/// Opens sealed templates one after the other; remembers the last key, because the templates of a session share one.
pub(super) struct Opener<'a> {
    sealing: &'a SealingKeys,
    tenant: &'a TenantId,
    last: Option<(Vec<u8>, DataKey)>,
}

impl<'a> Opener<'a> {
    /// For the templates of one tenant.
    pub(super) const fn new(sealing: &'a SealingKeys, tenant: &'a TenantId) -> Self {
        Self { sealing, tenant, last: None }
    }

    /// Opens a face's template.
    ///
    /// # Errors
    /// [`SealError::UnknownKey`] when the master key is lost, [`SealError::Broken`] when row or key were changed.
    pub(super) fn open(&mut self, stored: &StoredTemplate) -> Result<Template, SealError> {
        decode(stored.model, &self.bytes(TemplateKind::Face, stored)?).ok_or(SealError::Broken)
    }

    /// Opens the description of a background.
    ///
    /// # Errors
    /// As [`Opener::open`].
    pub(super) fn open_scene(&mut self, stored: &StoredTemplate) -> Result<SceneDescriptor, SealError> {
        SceneDescriptor::from_bytes(&self.bytes(TemplateKind::Scene, stored)?).map_err(|_other| SealError::Broken)
    }

    fn bytes(&mut self, kind: TemplateKind, stored: &StoredTemplate) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let wrapped = stored.wrapped.as_ref().ok_or(SealError::Broken)?;
        if self.last.as_ref().is_none_or(|(bytes, _)| *bytes != wrapped.bytes) {
            let owner = match &stored.face {
                FaceName::Session { session, .. } => {
                    owner_of(&SessionName { tenant: self.tenant.clone(), id: session.clone() })
                }
                FaceName::Reference(name) => candidate_owner(self.tenant, &name.candidate),
            };
            self.last = Some((wrapped.bytes.clone(), self.sealing.unwrap(&owner, wrapped)?));
        }
        let (_, key) = self.last.as_ref().ok_or(SealError::Broken)?;
        let owner = template_owner(self.tenant, &stored.face, kind, stored.model);
        Ok(Zeroizing::new(key.open(&owner, &stored.sealed)?))
    }
}

fn encode(template: &Template) -> Zeroizing<Vec<u8>> {
    let values = template.direction().values();
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEAD_BYTES + values.len() * 4));
    bytes.push(VERSION);
    bytes.extend_from_slice(&template.n_embeddings().to_le_bytes());
    bytes.extend_from_slice(&template.spread().to_le_bytes());
    // A template has at most 4096 numbers.
    bytes.extend_from_slice(&u16::try_from(values.len()).unwrap_or(u16::MAX).to_le_bytes());
    for value in values {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes
}

fn decode(model: ModelDigest, bytes: &[u8]) -> Option<Template> {
    let (version, rest) = bytes.split_first()?;
    let (n_embeddings, rest) = rest.split_first_chunk::<4>()?;
    let (spread, rest) = rest.split_first_chunk::<4>()?;
    let (n_values, rest) = rest.split_first_chunk::<2>()?;
    let (values, after) = rest.as_chunks::<4>();
    if *version != VERSION || !after.is_empty() || values.len() != usize::from(u16::from_le_bytes(*n_values)) {
        return None;
    }
    let direction = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
    Template::from_parts(model, direction, u32::from_le_bytes(*n_embeddings), f32::from_le_bytes(*spread)).ok()
}

#[cfg(test)]
mod tests {
    use super::{
        FaceName, Opener, SCENE_MODEL, StoredTemplate, Template, TemplateKind, decode, encode, owner_of, seal,
        seal_scene,
    };
    use crate::identity::{ModelDigest, TemplateKey};
    use crate::keys::{DataKey, SealError, SealingKeys};
    use crate::session::{ParticipantId, SessionId, SessionName, TenantId};
    use crate::vision::Embedding;
    use crate::vision::scene::testing::scene;

    const MODEL: ModelDigest = ModelDigest::new([7; 32]);

    fn template() -> Template {
        let embedding = |raw: &[f32]| Embedding::from_raw(raw).expect("has a direction");
        Template::mean(MODEL, [&embedding(&[0.3, -0.7, 0.1]), &embedding(&[0.4, -0.6, 0.0])]).expect("mean")
    }

    #[test]
    fn templates_come_back_bit_for_bit_and_anything_else_does_not() {
        let bytes = encode(&template());
        assert_eq!(decode(MODEL, &bytes), Some(template()));
        for at in 0..bytes.len() {
            assert_eq!(decode(MODEL, &bytes[..at]), None, "cut at {at}");
        }
        let mut longer = bytes.to_vec();
        longer.push(0);
        assert_eq!(decode(MODEL, &longer), None);
        let mut later = bytes.to_vec();
        later[0] = 2;
        assert_eq!(decode(MODEL, &later), None);
    }

    #[test]
    fn a_template_opens_as_that_face_of_that_tenant_by_that_model_alone() {
        let (tenant, sealing, key) = (TenantId::default(), SealingKeys::generate(), DataKey::generate());
        let session = SessionId::new("abcd-1").expect("valid");
        let name = SessionName { tenant: tenant.clone(), id: session.clone() };
        let face = |session: &SessionId, person| FaceName::Session {
            session: session.clone(),
            participant: ParticipantId::new("candidate").expect("valid"),
            person,
        };
        let stored = StoredTemplate {
            key: TemplateKey(1),
            face: face(&session, 0),
            model: MODEL,
            sealed: seal(&key, &tenant, &face(&session, 0), &template()).expect("seals"),
            wrapped: Some(sealing.wrap(&owner_of(&name), &key).expect("wraps")),
        };
        let open = |tenant: &TenantId, stored: &StoredTemplate| Opener::new(&sealing, tenant).open(stored);
        assert_eq!(open(&tenant, &stored), Ok(template()));
        let other_tenant = TenantId::new("other").expect("valid");
        assert_eq!(open(&other_tenant, &stored), Err(SealError::Broken));
        let check = |change: fn(&mut StoredTemplate)| {
            let mut moved = stored.clone();
            change(&mut moved);
            assert_eq!(open(&tenant, &moved), Err(SealError::Broken), "{moved:?}");
        };
        check(|stored| stored.wrapped = None);
        check(|stored| stored.model = ModelDigest::new([8; 32]));
        check(|stored| stored.sealed[30] ^= 1);
        let mut other_person = stored.clone();
        other_person.face = face(&session, 1);
        assert_eq!(open(&tenant, &other_person), Err(SealError::Broken));
        let lost = SealingKeys::generate();
        assert!(matches!(Opener::new(&lost, &tenant).open(&stored), Err(SealError::UnknownKey { .. })));
        assert_eq!(TemplateKind::ALL.len(), 2, "a new kind needs a codec of its own");
    }

    #[test]
    fn a_background_opens_as_one_and_as_no_face() {
        let (tenant, sealing, key) = (TenantId::default(), SealingKeys::generate(), DataKey::generate());
        let name = SessionName { tenant: tenant.clone(), id: SessionId::new("abcd-1").expect("valid") };
        let face = FaceName::Session {
            session: name.id.clone(),
            participant: ParticipantId::new("candidate").expect("valid"),
            person: 0,
        };
        let stored = StoredTemplate {
            key: TemplateKey(1),
            model: SCENE_MODEL,
            sealed: seal_scene(&key, &tenant, &face, &scene(1)).expect("seals"),
            wrapped: Some(sealing.wrap(&owner_of(&name), &key).expect("wraps")),
            face,
        };
        assert_eq!(Opener::new(&sealing, &tenant).open_scene(&stored), Ok(scene(1)));
        assert_eq!(Opener::new(&sealing, &tenant).open(&stored), Err(SealError::Broken));
    }
}
