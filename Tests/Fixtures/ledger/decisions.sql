-- Fills the decision table of a ledger.db with :count rows as ticks record them, for measuring exports:
--
--   sqlite3 -cmd '.parameter init' -cmd '.parameter set :count 1000000' DIRECTORY/ledger.db <decisions.sql
--
-- The rows are in no chain, so 'holdfast verify' rightly complains of such a ledger: use one that was just begun.
PRAGMA foreign_keys = OFF;
BEGIN;
DELETE FROM decision;
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :count)
INSERT INTO decision
SELECT
    n + 2, 1764000000 + n * 300, strftime('%Y-%m-%dT%H:%M:%SZ', 1764000000 + n * 300, 'unixepoch'),
    'node-' || (n % 100), CASE n % 3 WHEN 0 THEN 'k3s' WHEN 1 THEN 'microk8s' ELSE 'k0s' END, 'k3s',
    printf('%010x', n * 2654435761), 'file-replaced', 'minor', 'on-disk', 'v1.31.' || (n % 20) || '+k3s1', 'v1.32.' || (n % 20) || '+k3s1',
    'sha256:' || printf('%064x', n), 'hold', 'ceiling window', printf('%010x', n * 40503), printf('%064x', n / 1000),
    'the ceiling is patch, and v1.32.' || (n % 20) || '+k3s1 is a minor; the "night" window opens at 02:00 Europe/Berlin',
    CASE WHEN n % 4 THEN NULL ELSE printf('%010x', n / 400) END
FROM numbers;
COMMIT;
