-- The inbox of one state, or of one reviewer, in the order of urgency.
CREATE INDEX sessions_by_state_and_urgency ON sessions (tenant, review_state, urgency, create_time, id);
CREATE INDEX sessions_by_assignee ON sessions (tenant, assignee, urgency, create_time, id) WHERE assignee <> '';
