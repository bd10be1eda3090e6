-- lease --
-- Who leads, under which epoch, until when.
SELECT holder, epoch, expires_at FROM lease WHERE name = 'leader'

-- take_lease --
-- Become or stay the leader.
INSERT INTO lease (name, holder, epoch, expires_at) VALUES ('leader', :holder, :epoch, :expires_at)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = excluded.epoch, expires_at = excluded.expires_at

-- end_lease --
-- Give leadership back; the epoch stays taken.
UPDATE lease SET expires_at = 0 WHERE name = 'leader' AND epoch = :epoch

-- setting --
-- One named value.
SELECT value FROM meta WHERE name = :name

-- set_setting --
-- Keep one named value.
INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value
