//! Who asks, for which tenant, and what they may do.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::audit::{Action, Actor, Event, Outcome};
use crate::session::{SessionId, SessionName, TenantId};

use super::error::ServiceError;
use super::ports::{AuditLog, Clock};

/// What a caller may do. Each use case names the one that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// See sessions, scores, segments and stills.
    ReadSessions,
    /// Create, feed, change and finish sessions.
    WriteSessions,
    /// Delete sessions and set legal holds.
    DeleteSessions,
    /// Confirm or dismiss segments, assign, decide.
    Review,
    /// Compare, search and confirm faces across sessions; see candidates.
    Identity,
    /// Make accounts and give roles.
    Accounts,
    /// Read and check the audit log.
    Audit,
    /// See models, policies, health and settings.
    System,
}

/// What a person's account is for; an account may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads, marks and decides.
    Reviewer,
    /// Compares faces across sessions.
    Investigator,
    /// Runs the installation; sees no face across sessions without being an investigator too.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Reviewer, Self::Investigator, Self::Admin];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Reviewer => "reviewer",
            Self::Investigator => "investigator",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// What the role allows.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Viewer => &[Permission::ReadSessions],
            Self::Reviewer => &[Permission::ReadSessions, Permission::Review],
            Self::Investigator => &[Permission::ReadSessions, Permission::Review, Permission::Identity],
            Self::Admin => &[
                Permission::ReadSessions,
                Permission::DeleteSessions,
                Permission::Accounts,
                Permission::Audit,
                Permission::System,
            ],
        }
    }
}

/// Who asks. Every use case takes one, so that none can forget whose data it touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Whose data.
    pub tenant: TenantId,
    /// Who, for the audit log.
    pub actor: Actor,
    /// What they may do.
    pub permissions: BTreeSet<Permission>,
}

impl Caller {
    /// The program itself: retention and other chores, on the data of `tenant`.
    #[must_use]
    pub fn system(tenant: TenantId, role: &str) -> Self {
        Self { tenant, actor: Actor::system(role), permissions: BTreeSet::new() }
    }

    /// The full name of the caller's session `id`.
    #[must_use]
    pub fn session(&self, id: &SessionId) -> SessionName {
        SessionName { tenant: self.tenant.clone(), id: id.clone() }
    }

    /// Whether the caller may.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// An audit entry about something that this caller did.
    #[must_use]
    pub fn did(&self, time: Timestamp, action: Action, object: String) -> Event {
        Event::done(time, self.tenant.as_str(), self.actor.clone(), action, object)
    }
}

/// What a caller is about to do.
pub(super) struct Attempt {
    /// What it takes.
    pub(super) permission: Permission,
    /// What the audit log calls it.
    pub(super) action: Action,
    /// On what.
    pub(super) object: String,
}

/// Lets a caller go on who may; writes down who may not, before it says so.
///
/// # Errors
/// [`ServiceError::PermissionDenied`], or [`ServiceError::Store`] when that could not be written down.
pub(super) async fn permit(
    log: &(impl AuditLog + ?Sized),
    clock: &(impl Clock + ?Sized),
    caller: &Caller,
    attempt: Attempt,
) -> Result<(), ServiceError> {
    let Attempt { permission, action, object } = attempt;
    if caller.may(permission) {
        return Ok(());
    }
    log.append(Event { outcome: Outcome::Denied, ..caller.did(clock.now(), action, object) }).await?;
    Err(ServiceError::PermissionDenied { permission })
}

impl Permission {
    /// What a person is told that lacks it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadSessions => "read sessions",
            Self::WriteSessions => "create and feed sessions",
            Self::DeleteSessions => "delete sessions",
            Self::Review => "review sessions",
            Self::Identity => "compare faces across sessions",
            Self::Accounts => "manage accounts",
            Self::Audit => "read the audit log",
            Self::System => "see the system's state",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Permission, Role};

    #[test]
    fn only_investigators_compare_faces_across_sessions() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.as_str()), Some(role));
            assert_eq!(role.permissions().contains(&Permission::Identity), role == Role::Investigator);
            assert!(role.permissions().contains(&Permission::ReadSessions));
        }
        assert!(!Role::Admin.permissions().contains(&Permission::Review), "an admin is no reviewer by that alone");
    }
}
