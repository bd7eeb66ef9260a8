/** What `checkGradients` and `checkLayer` throw: a text for people, and the report so far for programs. */
export class CheckError<Report> extends Error {
  override readonly name = 'CheckError';

  /**
   * @param message What is wrong, where, and what to do.
   * @param report What was found until then.
   */
  constructor(
    message: string,
    readonly report: Report,
  ) {
    super(message);
  }
}
