-- A row that Slack does not show yet says so itself: whoever changes it cannot forget to.

CREATE FUNCTION tell_the_painter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'threads' THEN
        PERFORM pg_notify('texting_draw', NEW.id::text);
    ELSE
        PERFORM pg_notify('texting_draw', NEW.thread_id::text);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER deliveries_requested AFTER INSERT ON deliveries
    FOR EACH ROW EXECUTE FUNCTION tell_the_painter();
CREATE TRIGGER deliveries_changed AFTER UPDATE OF revision ON deliveries
    FOR EACH ROW WHEN (NEW.revision > OLD.revision) EXECUTE FUNCTION tell_the_painter();
CREATE TRIGGER threads_changed AFTER UPDATE OF revision ON threads
    FOR EACH ROW WHEN (NEW.revision > OLD.revision) EXECUTE FUNCTION tell_the_painter();
