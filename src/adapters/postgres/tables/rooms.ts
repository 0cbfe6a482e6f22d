import type pg from 'pg';
import type { Room, Rooms } from '../../../automations/close-rooms.ts';

/** Finds rooms in the read models. */
export const createRooms = (pool: pg.Pool): Rooms => ({
  async overdue(now, limit) {
    const { rows } = await pool.query<Room>(
      `select g.group_id as "groupId", g.job_id as "jobId", g.applicant_id as "applicantId"
       from applications.applications a join chat_groups.groups g on g.group_id = a.group_id
       where a.thread_closes_at <= $1 and g.kind = 'thread' and g.status = 'open'
       union
       select g.group_id, g.job_id, g.applicant_id
       from jobs.jobs j join chat_groups.groups g on g.job_id = j.job_id
       where j.rooms_close_at <= $1 and g.kind <> 'job' and g.status = 'open'
       limit $2`,
      [now, limit],
    );
    return rows;
  },
});
