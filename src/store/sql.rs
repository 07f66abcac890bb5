//! Statements that grow, in the placeholders that both databases understand.

use std::fmt::Write as _;

use sqlx::any::{Any, AnyArguments, AnyRow};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, FromRow, Type};

use super::Connection;
use super::failure::Refusal;

/// A statement with its values. Text comes from this program alone; what callers say is bound.
pub(super) struct Sql {
    text: String,
    arguments: AnyArguments,
}

impl Sql {
    /// Begins with `text`, in which there are no placeholders.
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), arguments: AnyArguments::default() }
    }

    /// Goes on with `text`.
    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Goes on with a value.
    pub(super) fn bind<T>(&mut self, value: T) -> &mut Self
    where
        T: Encode<'static, Any> + Type<Any>,
    {
        // Only values larger than the wire could carry fail here; the statement then has one too few and is refused.
        if self.arguments.add(value).is_ok() {
            let _written = write!(self.text, "${}", self.arguments.len());
        }
        self
    }

    /// Goes on with several values in parentheses.
    pub(super) fn bind_all<T>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self
    where
        T: Encode<'static, Any> + Type<Any>,
    {
        self.push("(");
        for (position, value) in values.into_iter().enumerate() {
            if position > 0 {
                self.push(", ");
            }
            self.bind(value);
        }
        self.push(")")
    }

    /// Every row.
    pub(super) async fn fetch_all<T>(self, connection: &mut Connection) -> Result<Vec<T>, Refusal>
    where
        T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
    {
        Ok(sqlx::query_as_with(AssertSqlSafe(self.text), self.arguments).fetch_all(connection).await?)
    }

    /// The first row, if there is one.
    pub(super) async fn fetch_optional<T>(self, connection: &mut Connection) -> Result<Option<T>, Refusal>
    where
        T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
    {
        Ok(sqlx::query_as_with(AssertSqlSafe(self.text), self.arguments).fetch_optional(connection).await?)
    }
}
