// Errors on the wire: the gRPC status of our code, one line of text, and a google.rpc.Status with one ErrorInfo
// {reason: our stable code, domain: "musicfs"} in the trailer grpc-status-details-bin, where generic clients look for
// it. https://google.aip.dev/193 https://grpc.io/docs/guides/error/#richer-error-model
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { codeOf, type ErrorCode, errorCodes, messageOf } from '../platform/errors.ts';
import type { ErrorInfo, ErrorInfo__Output } from './generated/google/rpc/ErrorInfo.ts';
import type { Status, Status__Output } from './generated/google/rpc/Status.ts';
import { loadOptions } from './load-proto.ts';

const trailer = 'grpc-status-details-bin';
const domain = 'musicfs';
const infoType = 'type.googleapis.com/google.rpc.ErrorInfo';

/** Turns failures into gRPC statuses and back. */
export interface ErrorDetailCodec {
  /** `internal` errors keep their text out of the answer: it is for the log. */
  statusOf(error: unknown): StatusObject;
  /** Our code in an answer, or undefined when somebody else made that answer. */
  codeIn(metadata: Metadata): ErrorCode | undefined;
}

export function createErrorDetailCodec(protoDirectory: string): ErrorDetailCodec {
  const definition = loadSync(['google/rpc/status.proto', 'google/rpc/error_details.proto'], {
    ...loadOptions,
    includeDirs: [protoDirectory],
  });
  const statusType = definition['google.rpc.Status'] as MessageTypeDefinition<Status, Status__Output>;
  const info = definition['google.rpc.ErrorInfo'] as MessageTypeDefinition<ErrorInfo, ErrorInfo__Output>;

  return {
    statusOf(error) {
      const reason = codeOf(error);
      const code = grpcCodeOf(reason);
      const message =
        reason === 'internal' ? 'internal error; the log of the daemon tells more' : messageOf(error);
      const value = info.serialize({ reason, domain });
      const metadata = new Metadata();
      metadata.set(
        trailer,
        statusType.serialize({ code, message, details: [{ type_url: infoType, value }] }),
      );
      return { code, details: message, metadata };
    },
    codeIn(metadata) {
      const bytes = metadata.get(trailer)[0];
      if (!Buffer.isBuffer(bytes)) return undefined;
      for (const detail of statusType.deserialize(bytes).details) {
        if (!('value' in detail) || detail.type_url !== infoType) continue;
        const found = info.deserialize(Buffer.from(detail.value));
        if (found.domain === domain && isErrorCode(found.reason)) return found.reason;
      }
      return undefined;
    },
  };
}

function grpcCodeOf(code: ErrorCode): status {
  return status[errorCodes[code].grpc as keyof typeof status]; // a test walks the whole table
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}
