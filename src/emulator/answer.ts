/** An HTTP answer, before faults are applied. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array | string;
  /** A body that is computed while it is sent, in place of `body`. Its length is in the headers. */
  pieces?: () => Iterable<Uint8Array>;
  /** The error code of an error. */
  code?: string;
}

/** Makes an error in the form of the API or of the object store. */
export type Refuse = (status: number, code: string, message: string) => Answer;

/** An answer of the API. */
export const json = (status: number, value: Record<string, unknown>, requestId: string): Answer => ({
  status,
  headers: { "content-type": "application/json;charset=utf-8", "x-acs-request-id": requestId },
  body: JSON.stringify(value),
});

/** Errors of the API. */
export const jsonErrors =
  (requestId: string, host: string): Refuse =>
  (status, code, message) => {
    const recommend = `https://api.aliyun.com/troubleshoot?q=${code}`;
    const value = { RequestId: requestId, HostId: host, Code: code, Message: message, Recommend: recommend };
    return { ...json(status, value, requestId), code };
  };

/** Errors of the object store. */
export const xmlErrors =
  (requestId: string, host: string): Refuse =>
  (status, code, message) => ({
    status,
    code,
    headers: { "content-type": "application/xml", "x-oss-request-id": requestId },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>${requestId}</RequestId><HostId>${host}</HostId></Error>`,
  });

/** The answers of a broken service. */
export const breakdowns: readonly [(refuse: Refuse) => Answer, ...((refuse: Refuse) => Answer)[]] = [
  (refuse) => refuse(500, "InternalError", "The request processing has failed due to some unknown error."),
  () => ({ status: 502, code: "502", headers: { "content-type": "text/html" }, body: "<h1>502 Bad Gateway</h1>" }),
  (refuse) => refuse(503, "ServiceUnavailable", "The service is temporarily unavailable."),
  () => ({ status: 502, code: "502", headers: {}, body: "" }),
];
