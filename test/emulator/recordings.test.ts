import { describe, expect, test } from "vitest";
import type { Emulator } from "../../src/emulator/index.ts";
import { callRecords } from "./object-memory.ts";
import { emulators } from "./running.ts";
import { describeCall, type Reply, send } from "./signer.ts";

const start = emulators();

type Task = ReturnType<Emulator["recordingTasks"]> extends Generator<infer T> ? T : never;
interface Files {
  HlsFileList: string[];
  Mp3FileList: string[];
  Mp4FileList: string[];
  VodMediaList: { Stream: string; MediaIds: string[]; MergedIds: string[] }[];
}
interface TaskInfo {
  TaskId: string;
  Status: string;
  RecordFileList: Files;
}

const during = new Date("2025-07-16T12:00:00Z");
const signedAt = (now: Date) => ({ date: now.toISOString().replace(/\.\d+/, "") });
const asked = ({ url }: Emulator, TaskId: string, more: Parameters<typeof send>[1] = {}): Promise<Reply> =>
  send(url, { action: "DescribeRtcCloudRecordingFiles", version: "2016-11-01", query: { TaskId }, ...more });
const vod = ({ url }: Emulator, action: string, query: Record<string, string>, more = {}): Promise<Reply> =>
  send(url, { action, version: "2017-03-21", query, ...more });
const keysOf = ({ keys }: Task): string[] => [...keys.hls, ...keys.mp3, ...keys.mp4];
const text = (body: Uint8Array | undefined, from = 0, to = 12): string =>
  Buffer.from(body ?? []).toString("latin1", from, to);

describe("DescribeRtcCloudRecordingFiles", () => {
  test("lists the files of a task as plain names, and its media in VOD by stream", async () => {
    const emulator = await start({ calls: 40, recordings: 12, taskDays: 9, now: () => during });
    const tasks = [...emulator.recordingTasks()];
    expect(tasks).toHaveLength(12);
    for (const { taskId, keys, vodIds } of tasks) {
      const { status, body } = await asked(emulator, taskId, signedAt(during));
      const list = vodIds.length > 0 ? [{ Stream: "Mix", MediaIds: vodIds, MergedIds: [] }] : [];
      const { hls, mp3, mp4 } = keys;
      const files = { HlsFileList: hls, Mp3FileList: mp3, Mp4FileList: mp4, VodMediaList: list };
      expect([status, body.TaskInfo]).toEqual([200, { TaskId: taskId, Status: "STOPPED", RecordFileList: files }]);
    }
    expect(new Set(tasks.map(({ taskId }) => taskId)).size).toBe(12);
    expect(tasks.map((task) => keysOf(task).length + task.vodIds.length).every((count) => count > 0)).toBe(true);
  });

  test("a task older than three days is as unknown as one that never was", async () => {
    let now = new Date("2025-07-14T00:00:00Z");
    const emulator = await start({ calls: 0, now: () => now });
    const taskId = emulator.addRecording({ channelId: "room", start: now });
    const answer = async (id: string): Promise<unknown[]> => {
      const { status, body } = await asked(emulator, id, signedAt(now));
      return [status, body.Code ?? (body.TaskInfo as TaskInfo).Status];
    };
    expect(await answer(taskId)).toEqual([200, "STOPPED"]);
    expect(await answer("nobodys")).toEqual([400, "NotFound.Task"]);
    now = new Date("2025-07-17T00:00:00Z");
    expect(await answer(taskId)).toEqual([200, "STOPPED"]);
    now = new Date("2025-07-17T00:00:01Z");
    expect(await answer(taskId)).toEqual([400, "NotFound.Task"]);
    expect([...emulator.recordingTasks()].map((task) => task.taskId)).toEqual([taskId]);
  });

  test("a call that has not ended has no files yet", async () => {
    const emulator = await start({ calls: 12, open: 12, recordings: 4, taskDays: 9, now: () => during });
    const [task] = emulator.recordingTasks();
    const info = async () => (await asked(emulator, task?.taskId ?? "", signedAt(during))).body.TaskInfo as TaskInfo;
    expect(await info()).toMatchObject({ Status: "RUNNING", RecordFileList: { Mp4FileList: [], Mp3FileList: [] } });
    emulator.finish(task?.callId ?? "");
    expect(await info()).toMatchObject({ Status: "STOPPED", RecordFileList: { Mp4FileList: task?.keys.mp4 } });
  });

  test("it obeys version, signature, deny, quota and faults, and is counted", async () => {
    const cases: [action: string, version: string, query: Record<string, string>][] = [
      ["DescribeRtcCloudRecordingFiles", "2016-11-01", { TaskId: "t" }],
      ["GetMezzanineInfo", "2017-03-21", { VideoId: "v" }],
      ["GetPlayInfo", "2017-03-21", { VideoId: "v" }],
    ];
    for (const [action, version, query] of cases) {
      const code = async (options: Parameters<typeof start>[0], more: Parameters<typeof send>[1] = {}) => {
        const { url, stats } = await start({ calls: 0, ...options });
        const { body } = await send(url, { action, version, query, ...more });
        expect(stats).toEqual({ requests: { [action]: 1 }, errors: { [String(body.Code)]: 1 } });
        return body.Code;
      };
      expect(await code({}, { secret: "wrong" })).toBe("SignatureDoesNotMatch");
      expect(await code({}, { version: "2020-11-09" })).toBe("InvalidVersion");
      expect(await code({ deny: [action] })).toBe("Forbidden.RAM");
      expect(await code({ quota: 0.5 })).toBe("Throttling.User");
      expect(await code({ faults: { throttle: 1 } })).toBe("Throttling.User");
      expect(await code({}, { query: {} })).toMatch(/^Missing(TaskId|VideoId)$/);
    }
  });
});

describe("recordings", () => {
  test("keys name task, app, channel and time; phone calls have none", async () => {
    const emulator = await start({ calls: 90, recordings: 200 });
    const tasks = new Map([...emulator.recordingTasks()].map((task) => [task.callId, task]));
    let phones = 0;
    for (const id of emulator.ids()) {
      const { body } = await describeCall(emulator.url, id);
      const info = body.Instance?.CallInfo as Record<string, string> | undefined;
      const runtime = body.Instance?.RuntimeConfig as Record<string, string> | undefined;
      const task = tasks.get(id);
      if (info?.CallerNumber !== undefined) {
        phones++;
        expect(task).toBeUndefined();
        continue;
      }
      expect(task?.channelId).toBe(runtime?.ChannelId);
      const delay = (task?.startedAt.getTime() ?? 0) - Date.parse(info?.CallStartTime ?? "");
      expect(delay).toBeGreaterThan(0);
      expect(delay).toBeLessThan(5_000);
      const time = task?.startedAt.toISOString().slice(0, 19).replace("T", "-");
      for (const key of task ? keysOf(task) : []) {
        expect(key).toMatch(new RegExp(`^(records/calls/)?${task?.taskId}/[0-9a-f-]{36}_${task?.channelId}_.*`));
        expect(key.replace(/\.\w+$/, "").endsWith(`_${time}`)).toBe(true);
      }
    }
    expect(tasks.size + phones).toBe(90);
    expect(phones).toBeGreaterThan(10);
  });

  test("files have content of their kind, playlists name their segments", () => {
    const { api, objects } = callRecords({ calls: 60, recordings: 16 });
    let segments = 0;
    for (const task of api.recordingTasks()) {
      const body = (key: string) => objects.get(`${task.bucket}/${key}`)?.body;
      for (const key of task.keys.mp4) expect(text(body(key), 4, 12)).toBe("ftypisom");
      for (const key of task.keys.mp3) {
        const file = Buffer.from(body(key) ?? []);
        expect(file.length % 288).toBe(0);
        for (let at = 0; at < file.length; at += 288) expect(file.readUInt16BE(at)).toBe(0xfff3);
      }
      for (const key of task.keys.hls) {
        const lines = Buffer.from(body(key) ?? [])
          .toString()
          .trimEnd()
          .split("\n");
        expect([lines[0], lines.at(-1)]).toEqual(["#EXTM3U", "#EXT-X-ENDLIST"]);
        const names = lines.filter((line) => !line.startsWith("#"));
        expect(lines.filter((line) => line.startsWith("#EXTINF:"))).toHaveLength(names.length);
        expect(names.length).toBeGreaterThan(0);
        for (const name of names) {
          const file = Buffer.from(body(key.slice(0, key.lastIndexOf("/") + 1) + name) ?? []);
          expect([file.length % 188, file[0], file.length > 0]).toEqual([0, 0x47, true]);
          segments++;
        }
      }
    }
    expect(segments).toBeGreaterThan(20);
    const tasks = [...api.recordingTasks()];
    const count = (kind: "hls" | "mp3" | "mp4"): number => tasks.filter(({ keys }) => keys[kind].length > 0).length;
    expect([count("hls"), count("mp3"), count("mp4")].every((found) => found >= 4)).toBe(true);
    expect(tasks.filter(({ vodIds }) => vodIds.length > 0)).toHaveLength(4);
    expect(tasks.filter(({ keys }) => keys.hls.length === 2)).toHaveLength(4);
  });

  test("the same seed gives the same tasks and the same bytes", () => {
    const [a, b] = [callRecords({ calls: 30, recordings: 8 }), callRecords({ calls: 30, recordings: 8 })];
    expect([...b.api.recordingTasks()]).toEqual([...a.api.recordingTasks()]);
    expect(b.objects).toEqual(a.objects);
    expect(a.objects.size).toBeGreaterThan(16);
    expect([...callRecords({ calls: 30 }).api.recordingTasks()]).toEqual([]);
  });

  test("a recording can be added to a call: of any size, in any bucket and folder", () => {
    const { api, directory, objects } = callRecords({ calls: 9 });
    const calls = [...directory.ids()].flatMap((id) => directory.find(id) ?? []);
    const call = calls.find((each) => !each.scene().phone);
    const phone = calls.find((each) => each.scene().phone);
    const options = { callId: call?.id ?? "", bytes: 3e9, bucket: "mine", prefix: "a/b/" };
    const taskId = api.addRecording({ ...options, taskId: "t-1", formats: ["mp4", "vod", "hls"] });
    const [task] = api.recordingTasks();
    expect(task).toMatchObject({ taskId: "t-1", callId: call?.id, channelId: call?.scene().channelId, bucket: "mine" });
    expect(taskId).toBe("t-1");
    const [mp4 = ""] = task?.keys.mp4 ?? [];
    expect(mp4).toMatch(/^a\/b\/t-1\/.*\.mp4$/);
    expect(objects.get(`mine/${mp4}`)).toMatchObject({ bytes: 3e9, type: "video/mp4" });
    expect(task?.vodIds).toHaveLength(1);
    expect(task?.keys.hls).toHaveLength(1);
    expect(() => api.addRecording({ callId: phone?.id ?? "" })).toThrow("A phone call has no recording.");
    expect(() => api.addRecording({ callId: "nobodys" })).toThrow("No such call");
    expect(() => api.addRecording({ channelId: "room" })).toThrow("needs a call, or channelId and start");
    expect([...api.recordingTasks()]).toHaveLength(1);
  });
});

describe("VOD", () => {
  test("GetMezzanineInfo and GetPlayInfo give size and address of a media", async () => {
    const emulator = await start({ calls: 0 });
    emulator.addRecording({ channelId: "room", start: during, formats: ["vod"], bytes: 4_096_477 });
    const [
      {
        vodIds: [VideoId = ""],
      } = { vodIds: [] },
    ] = emulator.recordingTasks();
    const mezzanine = (await vod(emulator, "GetMezzanineInfo", { VideoId, OutputType: "oss" })).body.Mezzanine;
    const time = "2025-07-16-12:00:00";
    expect(mezzanine).toMatchObject({
      VideoId,
      FileName: expect.stringMatching(new RegExp(`_room_${time}\\.mp4$`)),
      Size: 4_096_477,
      Duration: "60.0000",
      Status: "Normal",
      OutputType: "oss",
      CreationTime: "2025-07-16T12:01:00Z",
    });
    const { FileURL } = mezzanine as { FileURL: string };
    expect(FileURL).toMatch(/\/emulator-vod\/.*\.mp4/);
    const play = (await vod(emulator, "GetPlayInfo", { VideoId })).body;
    expect(play.VideoBase).toMatchObject({ VideoId, Status: "Normal" });
    const PlayURL = expect.stringContaining(new URL(FileURL).pathname) as string;
    const info = { Format: "mp4", Size: 4_096_477, Duration: "60.0000", PlayURL };
    expect(play.PlayInfoList).toMatchObject({ PlayInfo: [info] });
  });

  test("addresses are signed for as long as AuthTimeout says, otherwise for an hour", () => {
    const { api, products } = callRecords({ calls: 0 });
    api.addRecording({ channelId: "room", start: during, formats: ["vod"] });
    const [
      {
        vodIds: [VideoId = ""],
      } = { vodIds: [] },
    ] = api.recordingTasks();
    const actions = products.find(({ name }) => name === "vod")?.actions;
    const link = (query: Record<string, string>): unknown =>
      actions?.GetMezzanineInfo?.(new URLSearchParams({ VideoId, ...query })).Mezzanine;
    expect(link({})).toMatchObject({ FileURL: expect.stringContaining("?Expires=3600&") });
    expect(link({ AuthTimeout: "60" })).toMatchObject({ FileURL: expect.stringContaining("?Expires=60&") });
  });

  test("a media that is unknown, or an odd validity, is refused", async () => {
    const emulator = await start({ calls: 0 });
    emulator.addRecording({ channelId: "room", start: during, formats: ["vod"] });
    const [
      {
        vodIds: [VideoId = ""],
      } = { vodIds: [] },
    ] = emulator.recordingTasks();
    const unknown = await vod(emulator, "GetMezzanineInfo", { VideoId: "nobodys" });
    expect([unknown.status, unknown.body.Code]).toEqual([404, "InvalidVideo.NotFound"]);
    const odd = await vod(emulator, "GetPlayInfo", { VideoId, AuthTimeout: "0" });
    expect([odd.status, odd.body.Code]).toEqual([400, "InvalidParameter.AuthTimeout"]);
  });
});
