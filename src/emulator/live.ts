import { ApiError } from "./api-error.ts";
import type { Directory } from "./directory.ts";
import { required } from "./parameters.ts";
import type { Recordings } from "./recordings.ts";
import type { Action, Product } from "./rpc.ts";

const DAY_MS = 86_400_000;

export interface LiveOptions {
  recordings: Recordings;
  directory: Directory;
  /** For how many days after its start a task can be asked for. */
  taskDays: number;
  now: () => Date;
}

/** The action on the tasks of cloud recording. */
export const createLive = ({ recordings, directory, taskDays, now }: LiveOptions): Product => {
  const describeFiles: Action = (parameters) => {
    const taskId = required(parameters, "TaskId");
    const task = recordings.find(taskId);
    if (!task || now().getTime() - task.startedAt.getTime() > taskDays * DAY_MS)
      throw new ApiError(400, "NotFound.Task", `The task does not exist: ${taskId}, please check the TaskId.`);
    const { keys, vodIds, callId } = task;
    const isRunning = callId !== undefined && directory.find(callId)?.status !== "Finished";
    const files = {
      HlsFileList: keys.hls,
      Mp3FileList: keys.mp3,
      Mp4FileList: keys.mp4,
      VodMediaList: vodIds.length > 0 ? [{ Stream: "Mix", MediaIds: vodIds, MergedIds: [] }] : [],
    };
    return {
      TaskInfo: {
        TaskId: taskId,
        Status: isRunning ? "RUNNING" : "STOPPED",
        RecordFileList: isRunning ? { HlsFileList: [], Mp3FileList: [], Mp4FileList: [], VodMediaList: [] } : files,
      },
    };
  };
  return {
    name: "live",
    version: "2016-11-01",
    isMetered: true,
    actions: { DescribeRtcCloudRecordingFiles: describeFiles },
  };
};
