//! Claims to a person: who they are, what they are called, what they are for.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::service::ExternalPerson;
use crate::service::ports::ExternalIdentity;
use crate::session::TenantId;

use super::id_token::Claims;
use super::options::{GroupRule, OidcOptions};

/// Most groups of a person that are looked at.
const MAX_GROUPS: usize = 10_000;

/// A claim by its name; where none has the whole name, dots lead into objects.
pub(super) fn claim<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        let mut parts = name.split('.');
        let first = claims.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    })
}

/// The person that claims are about; `None` when their groups belong to more than one tenant.
pub(super) fn person(claims: &Claims, options: &OidcOptions) -> Option<ExternalPerson> {
    let text = |name: &str| claim(claims, name).and_then(Value::as_str).unwrap_or_default();
    let groups: BTreeSet<&str> = match claim(claims, &options.groups_claim) {
        Some(Value::String(group)) => [group.as_str()].into(),
        Some(Value::Array(groups)) => groups.iter().take(MAX_GROUPS).filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    };
    let rules = || options.groups.iter().filter(|rule| groups.contains(rule.group.as_str()));
    let tenants: BTreeSet<&str> = rules().map(|rule| rule.tenant.as_str()).collect();
    if tenants.len() > 1 {
        return None;
    }
    let tenant = tenants.first().and_then(|tenant| TenantId::new(tenant).ok());
    Some(ExternalPerson {
        identity: ExternalIdentity { issuer: options.issuer.clone(), subject: text("sub").to_owned() },
        name: text(&options.name_claim).to_owned(),
        display_name: text("name").to_owned(),
        tenant: tenant.unwrap_or_default(),
        roles: rules().flat_map(GroupRule::roles).collect(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{OidcOptions, claim, person};
    use crate::service::Role;

    fn options() -> OidcOptions {
        let groups = json!([
            {"group": "interviews", "roles": ["reviewer"]},
            {"group": "fraud", "roles": ["investigator", "admin"]},
            {"group": "elsewhere", "roles": ["viewer"], "tenant": "other"},
        ]);
        let options = json!({"issuer": "https://id.example.org", "client_id": "bonafide", "groups": groups.clone()});
        serde_json::from_value(options).expect("valid")
    }

    fn check(groups: &serde_json::Value, roles: &[Role], tenant: &str) {
        let claims = json!({"sub": "4711", "preferred_username": "anna", "name": "Anna", "groups": groups.clone()});
        let person = person(claims.as_object().expect("an object"), &options()).expect("one tenant");
        assert_eq!((person.identity.subject.as_str(), person.name.as_str()), ("4711", "anna"));
        assert_eq!(person.roles.iter().copied().collect::<Vec<_>>(), roles, "{groups}");
        assert_eq!(person.tenant.as_str(), tenant);
    }

    #[test]
    fn groups_give_roles_and_a_tenant() {
        check(&json!(["interviews", "cooks"]), &[Role::Reviewer], "default");
        check(&json!(["interviews", "fraud"]), &[Role::Reviewer, Role::Investigator, Role::Admin], "default");
        check(&json!("elsewhere"), &[Role::Viewer], "other");
        for nothing in
            [json!(null), json!([]), json!(["Interviews", 7, ["fraud"]]), json!({"fraud": true}), json!("fraud ")]
        {
            check(&nothing, &[], "default");
        }
        let claims = json!({"sub": "4711", "groups": ["fraud", "elsewhere"]});
        assert_eq!(person(claims.as_object().expect("an object"), &options()), None, "two tenants");
    }

    #[test]
    fn dots_lead_into_objects_unless_a_claim_has_the_whole_name() {
        let claims = json!({"realm_access": {"roles": ["a"]}, "https://example.org/roles": ["b"], "a": 1});
        let claims = claims.as_object().expect("an object");
        assert_eq!(claim(claims, "realm_access.roles"), Some(&json!(["a"])));
        assert_eq!(claim(claims, "https://example.org/roles"), Some(&json!(["b"])));
        assert!(claim(claims, "a.b").is_none() && claim(claims, "realm_access.").is_none());
    }
}
