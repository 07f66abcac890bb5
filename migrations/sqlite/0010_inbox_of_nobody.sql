-- What nobody looks after is found as quickly as what somebody does, even when that is nothing.
DROP INDEX sessions_by_assignee;
CREATE INDEX sessions_by_assignee ON sessions (tenant, assignee, urgency, create_time, id);
