import { describe, expect, it } from "vitest";
import { createRecordings } from "../../src/cloud/live.ts";
import type { Rpc } from "../../src/cloud/openapi.ts";
import { createVod } from "../../src/cloud/vod.ts";
import { Denied, NotFound } from "../../src/core/errors.ts";
import type { Json, JsonObject } from "../../src/core/transcript.ts";

describe("createRecordings", () => {
  const task = (RecordFileList: Json, more: JsonObject = {}) =>
    createRecordings(async () => ({ body: { TaskInfo: { RecordFileList, ...more } } })).task("t");

  it("asks for the task, and reads its files", async () => {
    let asked: unknown;
    const rpc: Rpc = async (...call) => {
      asked = call;
      const RecordFileList = {
        HlsFileList: ["a/x.m3u8"],
        Mp3FileList: ["a/x.mp3", "a/y.mp3"],
        Mp4FileList: ["a/x.mp4"],
        VodMediaList: [{ MediaIds: ["m1", "m2"], MergedIds: ["m3"], Stream: "s" }, { MediaIds: ["m1"] }],
      };
      return { body: { TaskInfo: { TaskId: "t", Status: "STOPPED", RecordFileList } } };
    };
    const { signal } = new AbortController();
    await expect(createRecordings(rpc).task("t", signal)).resolves.toEqual({
      status: "STOPPED",
      keys: { hls: ["a/x.m3u8"], mp3: ["a/x.mp3", "a/y.mp3"], mp4: ["a/x.mp4"] },
      vodIds: ["m1", "m2", "m3"],
    });
    expect(asked).toEqual(["DescribeRtcCloudRecordingFiles", { TaskId: "t" }, { signal }]);
  });

  it("a task without files has none", async () => {
    const none = { keys: { hls: [], mp3: [], mp4: [] }, vodIds: [] };
    for (const list of [null, "", [], {}, 7, { Mp3FileList: null }]) expect(await task(list)).toEqual(none);
  });

  it.each<[string, Json]>([
    ["a list as JSON text", '["a", "b"]'],
    ["a list in an object", { Mp3File: ["a", "b"] }],
    ["doubles, and entries of other types", ["a", "a", "", 7, null, { b: 1 }, "b", "\ud800"]],
  ])("reads %s", async (_, Mp3FileList) => {
    expect((await task({ Mp3FileList })).keys.mp3).toEqual(["a", "b"]);
  });

  it("reads a name that is no list, and text that only begins like one", async () => {
    expect((await task({ Mp4FileList: "a.mp4" })).keys.mp4).toEqual(["a.mp4"]);
    expect((await task({ Mp4FileList: "[a.mp4" })).keys.mp4).toEqual(["[a.mp4"]);
  });

  it.each<[Json, string[]]>([
    [{ MediaIds: ["m"] }, ["m"]],
    [{ VodMedia: [{ MediaIds: "m" }] }, ["m"]],
    [["m", "m", "no id", "", 7], ["m"]],
    [[{ MediaIds: { MediaId: ["m"] }, MergedIds: [{}] }], ["m"]],
  ])("finds the ids of VOD in %j", async (VodMediaList, ids) => {
    expect((await task({ VodMediaList })).vodIds).toEqual(ids);
  });

  it("shows no broken status", async () => {
    expect(await task({}, { Status: "RUN\ud800" })).toMatchObject({ status: "RUN\ufffd" });
    expect(await task({}, { Status: 7 })).not.toHaveProperty("status");
  });

  it.each([{}, { TaskInfo: null }, { TaskInfo: [] }, { TaskInfo: "x" }])("refuses the answer %j", async (body) => {
    await expect(createRecordings(async () => ({ body, requestId: "R" })).task("t")).rejects.toMatchObject({
      name: "Refused",
      facts: { code: "InvalidAnswer", requestId: "R" },
    });
  });
});

describe("createVod", () => {
  const LINK = "http://b.oss-cn-shanghai.aliyuncs.com/k.mp4?Signature=S";
  const vod = (answers: Record<string, JsonObject | Error>, asked: unknown[] = []) =>
    createVod(async (action, query) => {
      asked.push([action, query]);
      const answer = answers[action];
      if (answer instanceof Error) throw answer;
      return { body: answer ?? {}, requestId: "R" };
    });
  const gone = new NotFound("gone", { code: "InvalidVideo.NotFound" });

  it("gives the address of the file as it was uploaded, in object storage and over https", async () => {
    const asked: unknown[] = [];
    const url = await vod({ GetMezzanineInfo: { Mezzanine: { FileURL: LINK } } }, asked).address("v");
    expect(url.href).toBe(LINK.replace("http:", "https:"));
    expect(asked).toEqual([["GetMezzanineInfo", { VideoId: "v", OutputType: "oss" }]]);
  });

  it.each<[string, JsonObject | Error]>([
    ["is deleted", gone],
    ["has no address", { Mezzanine: { FileURL: "" } }],
    ["has an address of another kind", { Mezzanine: { FileURL: "file:///etc/passwd" } }],
    ["has an address that is a number", { Mezzanine: { FileURL: 7 } }],
    ["is missing in the answer", {}],
  ])("gives what can be played when that file %s: whole files first, then the largest", async (_, GetMezzanineInfo) => {
    const PlayInfo = [
      { PlayURL: "https://b.aliyuncs.com/1.m3u8", Format: "m3u8", Size: 900, Status: "Normal" },
      { PlayURL: "https://b.aliyuncs.com/2.mp4", Format: "mp4", Size: 100, Status: "Normal" },
      { PlayURL: "https://b.aliyuncs.com/3.mp4", Format: "mp4", Size: "300", Status: "Normal" },
      { PlayURL: "https://b.aliyuncs.com/4.mp4", Format: "mp4", Size: 500, Status: "Invisible" },
      { PlayURL: "https://b.aliyuncs.com/5.mp4", Format: "mp4", Size: 600, Encrypt: 1 },
      { Format: "mp4", Size: 999 },
      null,
    ];
    const url = await vod({ GetMezzanineInfo, GetPlayInfo: { PlayInfoList: { PlayInfo } } }).address("v");
    expect(url.href).toBe("https://b.aliyuncs.com/3.mp4");
  });

  it.each<Json>([
    [{ PlayURL: "https://b.aliyuncs.com/1.mp4" }],
    { PlayInfo: { PlayURL: "https://b.aliyuncs.com/1.mp4" } },
  ])("reads the list %j", async (PlayInfoList) => {
    expect((await vod({ GetMezzanineInfo: gone, GetPlayInfo: { PlayInfoList } }).address("v")).pathname).toBe("/1.mp4");
  });

  it.each<JsonObject>([{}, { PlayInfoList: null }, { PlayInfoList: { PlayInfo: [] } }, { PlayInfoList: "x" }])(
    "says that there is no file for %j",
    async (GetPlayInfo) => {
      await expect(vod({ GetMezzanineInfo: gone, GetPlayInfo }).address("v")).rejects.toMatchObject({
        name: "NotFound",
        message: "VOD has no file of v that can be downloaded.",
        facts: { code: "NoFile", requestId: "R" },
      });
    },
  );

  it("passes other errors on", async () => {
    const denied = new Denied("no", { code: "Forbidden.RAM" });
    await expect(vod({ GetMezzanineInfo: denied }).address("v")).rejects.toBe(denied);
    await expect(vod({ GetMezzanineInfo: gone, GetPlayInfo: denied }).address("v")).rejects.toBe(denied);
  });
});
