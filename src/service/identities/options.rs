//! Bounds of the identity ledger.

use serde::Deserialize;

use crate::error::InvalidOption;

/// Whether faces are compared across sessions, and how long what is known of them is kept.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentityOptions {
    /// Whether templates are made, searched and compared at all.
    pub enabled: bool,
    /// Templates held in memory for searches, of all tenants together; some 2.6 KiB each.
    pub max_templates: usize,
    /// Days after a session's end on which its templates are deleted; 0 = with the session.
    pub template_retention_days: u32,
    /// Days after which a reference is deleted unless its enrolment says otherwise; 0 = never.
    pub reference_retention_days: u32,
    /// False matches to expect of a search for somebody unknown, unless the caller says otherwise.
    pub max_false_matches: f64,
    /// False matches to expect of looking one face of a finished session up, which nobody asked for.
    pub max_false_proposals: f64,
    /// Whether the faces of a finished session are looked for among all others and on the watch list, for people to look at.
    pub propose: bool,
    /// Whether what is behind people is described as well, and looked for behind other candidates.
    pub scenes: bool,
    /// Backgrounds held in memory for searches, of all tenants together; some 8 KiB each. Of more, the newest.
    pub max_scenes: usize,
}

impl Default for IdentityOptions {
    fn default() -> Self {
        Self {
            enabled: false,
            max_templates: 250_000,
            template_retention_days: 0,
            reference_retention_days: 365,
            max_false_matches: 0.1,
            max_false_proposals: 0.01,
            propose: true,
            scenes: true,
            max_scenes: 20_000,
        }
    }
}

impl IdentityOptions {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`InvalidOption`] for the first key that is out of range.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        InvalidOption::unless_within("max_templates", self.max_templates, 1..=100_000_000)?;
        InvalidOption::unless_within("max_scenes", self.max_scenes, 1..=10_000_000)?;
        InvalidOption::unless_within("template_retention_days", self.template_retention_days, 0..=36_500)?;
        InvalidOption::unless_within("reference_retention_days", self.reference_retention_days, 0..=36_500)?;
        InvalidOption::unless_within("max_false_matches", self.max_false_matches, 1e-9..=1_000.0)?;
        InvalidOption::unless_within("max_false_proposals", self.max_false_proposals, 1e-9..=1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::IdentityOptions;

    #[test]
    fn bad_values_are_named_and_the_ledger_is_off_at_first() {
        assert!(!IdentityOptions::default().enabled);
        IdentityOptions::default().validate().expect("the defaults can be used");
        let check = |key: &str, change: fn(&mut IdentityOptions)| {
            let mut options = IdentityOptions::default();
            change(&mut options);
            assert_eq!(options.validate().expect_err(key).key, key);
        };
        check("max_templates", |options| options.max_templates = 0);
        check("max_scenes", |options| options.max_scenes = 0);
        check("template_retention_days", |options| options.template_retention_days = u32::MAX);
        check("reference_retention_days", |options| options.reference_retention_days = u32::MAX);
        check("max_false_matches", |options| options.max_false_matches = f64::NAN);
        check("max_false_matches", |options| options.max_false_matches = 0.0);
        check("max_false_proposals", |options| options.max_false_proposals = f64::INFINITY);
    }
}
