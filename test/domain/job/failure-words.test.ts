/**
 * Messages as providers and the models behind them send them, collected from their documentation and from reports of their
 * users. None of them stands in the table of words; each must be taken for what a person who reads it takes it for.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeRefusedCreate, judgeText } from '../../../src/domain/job/failures.js';
import { SHORT_MESSAGES } from './short-messages.js';

const REFUSALS = [
  // Kling
  'Failure to pass the risk control system',
  'failure to pass the risk control system: prompt',
  'Task failed: content does not pass risk control, please modify your prompt',
  'The content you uploaded appears to violate the community guidelines',
  'Trigger the content security policy of the platform',
  'task_status_msg: Content policy violation',
  // MiniMax Hailuo
  'input new_sensitive: your prompt contains sensitive content',
  'Video description involves sensitive content, please adjust (1026)',
  'output new_sensitive, video generated contains sensitive content (status_code 1027)',
  '视频描述涉及敏感内容，请调整',
  '生成视频涉及敏感内容',
  '输入内容未通过审核',
  // Seedance
  'The request failed because the output video may contain sensitive information. Request id: 0217882536596960',
  'The request failed because the input text may contain sensitive information.',
  "The request failed because the input image 'content[5]' may contain real person. Request id: 021787901826",
  'The request failed because the output audio may be related to copyright restrictions',
  "Error code: 400 - {'error': {'code': 'InputImageSensitiveContentDetected.PrivacyInformation', 'type': 'BadRequest'}}",
  'OutputVideoSensitiveContentDetected',
  'InputTextSensitiveContentDetected.PolicyViolation',
  'potential IP conflict: contains protected content',
  // Veo
  "The prompt could not be submitted. This prompt contains sensitive words that violate Google's Responsible AI practices. Try rephrasing your prompt. Support codes: 58061214",
  'Veo could not generate videos because the input image violates our usage guidelines. Please retry with another input.',
  'The response is blocked, as it may violate our policies. If you believe this is an error, please send feedback. Error Code: 58061214',
  'We encountered an issue with the audio for your prompt. Video was filtered by safety settings: rai_media_filtered_count=1',
  '400 Image generation failed with the following error: The image was filtered out because it violated our content policies',
  'The input image contains content that has been blocked by your current safety settings for person/face generation.',
  // Sora, Azure
  'Your request was blocked by our moderation system.',
  "Error code: 400 - {'error': {'code': 'moderation_blocked', 'message': 'Your request was rejected by the safety system.'}}",
  "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
  'Input image rejected: we do not allow uploads of people under 18 (content_policy_violation)',
  // Wan
  'DataInspectionFailed: Input data may contain inappropriate content.',
  'Output data may contain inappropriate content.',
  'Green net check failed for image: data inspection failed',
  // fal
  'The content could not be processed because it contained material flagged by a content checker.',
  'body.prompt: The content was flagged by a content checker. (content_policy_violation)',
  // Luma, Runway, Grok, PixVerse, Stability, Nova, Cosmos, Vidu
  'Generation failed: Advanced moderation failed',
  'ValueError: Generation failed: Advanced moderation failed',
  'Prompt not allowed because advanced moderation rejected it',
  'SAFETY.INPUT.TEXT',
  'INPUT_PREPROCESSING.SAFETY.IMAGE',
  'Generated video rejected by content moderation.',
  'Content moderation failed. Please modify your prompt and try again.',
  'Your request was flagged by our content moderation system, as a result your request was denied and you were not charged.',
  'This request has been blocked by our content filters. Please adjust your text prompt to submit a new request.',
  'The generated video has been blocked by our content filters.',
  'VideoContentSafetyFilter: unsafe frames detected',
  'AuditSubmitIllegal',
  // Replicate, and models on it
  'NSFW content detected. Try running it again, or try a different prompt.',
  'Potential NSFW content was detected in one or more images. A black image will be returned instead.',
  'All generated images contained NSFW content. Try running it again with a different prompt.',
  'Exception: NSFW content detected in image. Try running it again, or try a different prompt.',
  'RuntimeError: Safety checker flagged the output',
  'ValueError: The prompt violates the acceptable use policy',
  'Your prompt was rejected by the content filter',
  'Request blocked for safety reasons',
  'The uploaded image did not pass the content review',
  'Nudity detected in the input image',
  'The image contains a celebrity and cannot be used',
  'Sorry, I cannot assist with that request.',
  'Prompt contains prohibited content',
  "Your input doesn't comply with our content guidelines",
  'the content of prompt field is unsafe',
  'HTTPError: 400 Client Error: Bad Request: the prompt was flagged',
  'Traceback (most recent call last):\n  File "/src/predict.py", line 88, in predict\n    raise ModerationError(timeout=30)\nModerationError: prompt rejected by moderation',
];

const REFERENCES = [
  'cannot identify image file <_io.BytesIO object at 0x7f3c572073d0>',
  "UnidentifiedImageError: cannot identify image file '/tmp/tmpx1.png'",
  "PIL.UnidentifiedImageError: cannot identify image file '/tmp/inputs/image.jpg'",
  'Traceback (most recent call last):\n  File "/src/predict.py", line 12, in predict\n    image = Image.open(requests.get(url, timeout=30).raw)\nPIL.UnidentifiedImageError: cannot identify image file',
  'OSError: image file is truncated (12 bytes not processed)',
  'Failed to download image from URL',
  'Failed to download https://example.com/images/fox.png',
  'Could not fetch the first frame: HTTP 404',
  'Unable to access the provided media URL.',
  '404 Client Error: Not Found for url: https://example.com/policy/fox.jpg',
  'requests.exceptions.HTTPError: 403 Client Error: Forbidden for url: https://cdn.example.com/a/start.webp',
  'image_load_error: Could not load the image',
  'file_download_error: Failed to download the file. Please check if the URL is accessible and try again.',
  'image_too_small: Image dimensions are too small. Minimum dimensions are 300x300 pixels.',
  'Image pixel is invalid, only supports the aspect ratio between 1:2.5 and 2.5:1',
  'File is not in a valid base64 format',
  'Image size must be at least 300px',
  'The image is too large: 12 MB exceeds the maximum of 10 MB',
  'Invalid image format: image/svg+xml',
  'Unsupported image type: HEIC',
  'INVALID_IMAGE',
  'IMAGE_INACCESSIBLE',
  'Failed to decode base64 image',
  'The last frame image has a different aspect ratio than allowed: must be between 0.4 and 2.5',
  'DecompressionBombError: Image size (400000000 pixels) exceeds limit',
  'The reference image is corrupted',
  '图片下载失败',
  'ASSET.INVALID',
];

const INPUTS = [
  'Input validation error: duration must be one of 5, 10',
  'Input validation error: guidance_scale is out of range',
  '1 validation error for Input\nduration\n  Input should be a valid integer [type=int_parsing]',
  'Validation error: prompt is required',
  'The parameter `duration` specified in the request is not valid for model seedance.',
  'invalid params, duration 12 is not supported at 1080P',
  'Duration must be 5, 10, or 15 seconds',
  'resolution 4k is not supported by this model',
  'Prompt is too long: 2600 characters, at most 2500',
  'The prompt exceeds the maximum length of 2500 characters',
  'String should have at most 2500 characters',
  'first/last frame content cannot be mixed with reference media content',
  'Missing required parameter: prompt',
  'Unknown parameter: cfg',
  "end_image requires start_image: missing parameter 'start_image'",
  'HTTPError: 422 Client Error: Unprocessable Entity for url: https://api.example.com/v1/videos',
  'Error code: 400 - invalid_request_error',
  'aspect_ratio must be one of 16:9, 9:16, 1:1',
  'num_frames should be between 81 and 121',
  'Please try again with different inputs: seed must be a positive integer',
  'TypeError: predict() got an unexpected keyword argument',
  'ValueError: the frames do not add up',
  'AssertionError: shapes differ',
  '传入参数异常，请检查入参是否按要求填写',
];

const PASSING = [
  // A connection
  "ConnectionError: HTTPSConnectionPool(host='api.example.com', port=443): Max retries exceeded",
  'ConnectionError',
  "requests.exceptions.ConnectionError: ('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
  'ConnectionResetError: [Errno 104] Connection reset by peer',
  'BrokenPipeError: [Errno 32] Broken pipe',
  'ConnectError: All connection attempts failed',
  'httpx.RemoteProtocolError: Server disconnected without sending a response.',
  'SSLError: EOF occurred in violation of protocol (_ssl.c:1007)',
  'URLError: <urlopen error [Errno -3] Temporary failure in name resolution>',
  'socket hang up',
  'read ECONNRESET',
  'fetch failed',
  'ChunkedEncodingError: Connection broken: IncompleteRead(512 bytes read)',
  'Content length mismatch: expected 1024 bytes, got 512',
  'upstream connect error or disconnect/reset before headers',
  // A time-out
  'TimeoutError',
  'TimeoutError: The read operation timed out',
  'ReadTimeout: HTTPSConnectionPool: Read timed out. (read timeout=60)',
  'httpx.ReadTimeout: The read operation timed out',
  'asyncio.exceptions.TimeoutError: timeout after 600 s',
  'Request timed out.',
  'Generation timeout',
  '504 Deadline Exceeded',
  'Polling timed out after 300 seconds',
  'Safety checker timed out',
  'The content moderation service is unavailable, please try again later',
  'NSFW checker: connection refused',
  'Failed to load the safety checker: Read timed out',
  'Failed to download image: Read timed out.',
  'validation service timed out',
  // An error of a server
  'HTTPError: 502',
  'HTTPError: 502 Server Error: Bad Gateway for url: https://api.example.com/policy/safety/flagged',
  'requests.exceptions.HTTPError: 503 Server Error: Service Unavailable for url: https://api.example.com/a.png',
  'Request failed with status code 500',
  'Error code: 500 - Internal server error',
  'InternalServerError: Error code: 500',
  'An internal error occurred',
  'Bad Gateway',
  'Internal system error, please retry',
  '服务器内部错误',
  // Too much at once
  'HTTPError: 429 Client Error: Too Many Requests for url: https://api.example.com',
  'RateLimitError: rate limit reached for requests',
  'Rate limit exceeded: parallel task over resource pack limit',
  'Concurrency limit reached (3). Please wait for them to complete.',
  'Throttling.RateQuota: Requests rate limit exceeded, please try again later.',
  '429 RESOURCE_EXHAUSTED. Quota exceeded for long running requests',
  'Model is at capacity',
  'The server is overloaded, try again later',
  'Server busy',
  'The engine is currently overloaded',
  'The service is experiencing heavy load',
  'No GPU available',
  'queue is full',
  '触发限流，请稍后再试',
];

const UNKNOWN = [
  'Something went wrong. Please try again.',
  'Failed to generate video',
  'Error generating video',
  'Unknown error',
  'Video generation failed',
  'Failed to save output image',
  'Failed to upload the output file',
  'failed to pull docker image',
  'Could not load model weights file',
  'worker died',
  'SafetensorError in worker: header too large',
];

/** Words of the other families in places where they mean nothing. */
const FALSE_FRIENDS = [
  'Safety checker could not be loaded',
  'No NSFW content detected; the worker crashed',
  'The worker was restarted because of its retry policy',
  'blocked by CORS policy',
  'The moderation model crashed',
  'Director: unexpected error handling prediction (E9828)',
];

const kindOf = (text: string): string => judgeText(text).kind;

describe('the words of a failure message', () => {
  it.each(REFUSALS)('are a refusal of the content, which is not retried: %j', (text) => {
    expect(judgeText(text)).toEqual({ kind: 'flagged', retry: false });
  });

  it.each(REFERENCES)('are about an image, and the clip is not retried: %j', (text) => {
    expect(judgeText(text)).toEqual({ kind: 'invalid_reference', retry: false });
  });

  it.each(INPUTS)('are about the input, and the clip is not retried: %j', (text) => {
    expect(judgeText(text)).toEqual({ kind: 'invalid_input', retry: false });
  });

  it.each([...PASSING, ...UNKNOWN, ...FALSE_FRIENDS])(
    'may pass, and it is tried again: %j',
    (text) => {
      expect(judgeText(text)).toMatchObject({ kind: 'provider_error', retry: true });
    },
  );
});

describe.each(Object.entries(SHORT_MESSAGES))('a short message is taken as %s', (kind, texts) => {
  it.each(texts)('%j', (text) => {
    expect(kindOf(text)).toBe(kind);
  });
});

/** What surrounds the words in practice. */
const BEFORE = [
  '',
  'Prediction failed: ',
  'Error: ',
  'RuntimeError: ',
  '[2026-11-28 12:00:01] ERROR ',
  'Running predict()...\nstep 3 of 50\n',
  'Upstream said {"error": {"message": "',
  'Traceback (most recent call last):\n  File "/src/predict.py", line 3\n    assert ok, "timeout, flagged"\n',
];
const AFTER = [
  '',
  '.',
  ' (E9828)',
  ' Request id: 0217882536596960',
  ' Please try again.',
  '"}}',
  '\n\n',
];
/** A name of several words (`InvalidInput`) is taken apart at its capitals, and has to keep them. */
const isName = (text: string): boolean => /[a-z][A-Z]/.test(text);
const SPELLINGS = [
  (text: string) => text,
  (text: string) => (isName(text) ? text : text.toLowerCase()),
  (text: string) => (isName(text) ? text : text.toUpperCase()),
];

const FAMILIES = [
  ...REFUSALS.map((text) => [text, 'flagged'] as const),
  ...REFERENCES.map((text) => [text, 'invalid_reference'] as const),
  ...INPUTS.map((text) => [text, 'invalid_input'] as const),
  ...PASSING.map((text) => [text, 'provider_error'] as const),
].filter(([text]) => !text.includes('\n'));

describe('a failure among other words', () => {
  it('means the same in upper and lower case, and within the usual surrounding text', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FAMILIES),
        fc.constantFrom(...BEFORE),
        fc.constantFrom(...AFTER),
        fc.constantFrom(...SPELLINGS),
        ([text, kind], before, after, spell) => {
          // What only its shape tells (`ValueError: …`) is told at the beginning alone, and where no advice says otherwise.
          const isBare = before === '' && !after.includes('try again');
          fc.pre(isBare || judgeText(`x ${text}`).kind === kind);
          const said = spell(text);
          expect([before + said + after, kindOf(before + said + after)]).toEqual([
            before + said + after,
            kind,
          ]);
        },
      ),
      { numRuns: 3000 },
    );
  });

  const prompts = fc
    .array(
      fc.constantFrom(
        ...[
          'a policeman',
          'flagged',
          'nsfw',
          'sensitive content',
          'moderation rejected',
          'violates our policy',
        ],
        ...[
          'connection refused',
          'rate limit',
          'cannot load image',
          'invalid input',
          'a fox',
          'in "quotes"',
        ],
      ),
      { minLength: 3, maxLength: 9 },
    )
    .map((words) => words.join(', '))
    .filter((prompt) => prompt.length >= 20);

  it("does not take its words from the clip's own prompt, which it repeats", () => {
    const sentences = [
      (prompt: string) => `Could not finish "${prompt}" (E9828)`,
      (prompt: string) => `worker died at ${prompt}`,
      (prompt: string) => `worker died: ${JSON.stringify({ prompt, seed: 3 })}`,
    ];
    fc.assert(
      fc.property(prompts, fc.constantFrom(...sentences), (prompt, sentence) => {
        expect(judgeText(sentence(prompt), [prompt])).toEqual({
          kind: 'provider_error',
          retry: true,
        });
      }),
    );
  });

  it.each([
    "worker died, prompt='nsfw content that was flagged by moderation'",
    'worker died: {"prompt": "nsfw content", "negative_prompt": "sensitive content"}',
    "1 validation error for Input\nseed\n  Input should be a valid integer [type=int_parsing, input_value='nsfw content', input_type=str]",
  ])('does not read what a field of the input holds: %j', (text) => {
    expect(kindOf(text)).not.toBe('flagged');
  });

  it('is found at the beginning and at the end of a long log, and not in the megabytes between', () => {
    const log = 'step 1 of 50: ok\n'.repeat(200_000);
    expect(kindOf(`${log}NSFW content detected`)).toBe('flagged');
    expect(kindOf(`NSFW content detected\n${log}`)).toBe('flagged');
    expect(kindOf(`${log}NSFW content detected\n${log}`)).toBe('provider_error');
  });

  it('gets a verdict for any text', () => {
    const pieces = [
      'a',
      ' ',
      'sensitive ',
      'http://',
      'prompt="',
      "prompt='",
      'data:a/',
      '\n',
      '. ',
      'aA',
      'no ',
      '{',
      'failed the ',
    ];
    const text = fc
      .array(fc.tuple(fc.constantFrom(...pieces), fc.integer({ min: 1, max: 3000 })), {
        maxLength: 5,
      })
      .map((runs) => runs.map(([piece, times]) => piece.repeat(times)).join(''));
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: 'binary', maxLength: 500 })), (hostile) => {
        expect(typeof judgeText(hostile, [hostile.slice(0, 50)]).retry).toBe('boolean');
      }),
    );
  });
});

describe('a refused create', () => {
  it('is flagged when its words say so, with any status', () => {
    for (const text of REFUSALS) {
      for (const kind of ['invalid_input', 'unauthorized'] as const) {
        expect([text, judgeRefusedCreate(text, kind)]).toEqual([text, 'flagged']);
      }
    }
  });

  it('is an invalid reference when its words say so, and otherwise the kind of its status', () => {
    for (const text of REFERENCES) {
      expect([text, judgeRefusedCreate(text, 'invalid_input')]).toEqual([
        text,
        'invalid_reference',
      ]);
      expect([text, judgeRefusedCreate(text, 'unauthorized')]).toEqual([text, 'unauthorized']);
    }
    for (const text of INPUTS) {
      expect([text, judgeRefusedCreate(text, 'invalid_input')]).toEqual([text, 'invalid_input']);
    }
  });
});
