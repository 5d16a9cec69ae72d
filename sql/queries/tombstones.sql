-- Videos that every read and the queue leave out.
SELECT video_id, reason, since FROM tombstones ORDER BY video_id;
