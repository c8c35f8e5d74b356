import { expect, test } from "vitest";
import { helpAddress } from "../../src/cloud/help-address.ts";

test.each([
  ["https://api.aliyun.com/troubleshoot?q=Throttling.User&product=ICE&requestId=1F-2", undefined],
  ["https://next.api.alibabacloud.com/troubleshoot?q=NoPermission", undefined],
  ["https://ice.cn-shanghai.aliyuncs.com/help", undefined],
  ["https://api.aliyun.com/t?q=A&Signature=abc&SecurityToken=x&AuthToken=y#frag", "https://api.aliyun.com/t?q=A"],
  ["https://api.aliyun.com/t?q=LTAI5tSomebodysKey", ""],
  ["https://api.aliyun.com/the-secret", ""],
  ["http://api.aliyun.com/t?q=A", ""],
  ["https://aliyun.com.evil.example/t", ""],
  ["https://evilaliyun.com/t", ""],
  ["https://user:pw@api.aliyun.com/t", ""],
  ["https://api.aliyun.com:8443/t", ""],
  ["javascript:alert(1)", ""],
  ["not an address", ""],
  [`https://api.aliyun.com/${"a".repeat(400)}`, ""],
])("%j is quoted as %j", (address, shown = address) => {
  expect(helpAddress(address, ["the-secret"]) ?? "").toBe(shown);
});
