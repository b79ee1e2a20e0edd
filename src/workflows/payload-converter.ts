// Reads what a workflow is given. An input that is no JSON, or of an encoding that nobody reads (the Temporal UI's form
// offers one), would fail each workflow task and be tried for ever: it is read as Unreadable, which no schema takes.

import { DefaultPayloadConverter, type Payload, type SerializationContext } from '@temporalio/common';
import { Unreadable } from './unreadable.ts';

class InputConverter extends DefaultPayloadConverter {
  override fromPayload<T>(payload: Payload, context?: SerializationContext): T {
    try {
      return super.fromPayload<T>(payload, context);
    } catch (error) {
      // what an activity answered is ours: that must not pass for an answer
      if (context?.type !== 'workflow') throw error;
      return new Unreadable(error instanceof Error ? error.message : String(error)) as T;
    }
  }
}

/** The SDK takes it from a module's export of this name (`payloadConverterPath`). */
export const payloadConverter = new InputConverter();
