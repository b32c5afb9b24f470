/**
 * What a failure message is about: one row for each family of words. Providers and models phrase the same failure in many
 * ways and change their phrases without notice, so a row lists words, not sentences. Words count only together within one
 * clause, which has at most 4,000 characters (CLAUSES-1). Repetitions are neither nested nor adjacent to a similar one, so
 * that every pattern takes linear time.
 */
import type { Clauses } from './clauses.js';

export type Family =
  /** The content was refused: by a filter, a checker, a policy, a person's or an owner's rights. */
  | 'refusal'
  /** The provider is full, or asks to slow down. */
  | 'capacity'
  /** The provider, or what it calls, is away for now. */
  | 'outage'
  /** A connection, a time-out, a server's own error. */
  | 'transport'
  /** An image, or its address, cannot be fetched or read, or has a wrong size or format. */
  | 'reference'
  /** Any other input does not fit. */
  | 'input'
  /** Only the advice to try again. */
  | 'again';

/** All of its patterns are found in one clause. */
type Phrase = readonly RegExp[];

interface Row {
  readonly phrases: readonly Phrase[];
  /** A clause that matches this is about something else. */
  readonly unless?: RegExp;
}

const DENIED =
  /\b(?:reject\w*|refus\w+|block\w*|flag(?:s|ged)|den(?:y|ied|ies)|declin\w+|trigger\w*|detect\w*|filtered|intercept\w*|caught|hit|tripped|violat\w+|against|breach\w*|contraven\w+|disallow\w*|prohibit\w*|forbid\w*|(?:not|[a-z]{2,8}n't|cannot|never) (?:be )?(?:pass\w*|allow\w*|permit\w*|compl\w+|approv\w+|accept\w*)|fail\w* to (?:pass|comply)|due to|because of|unsafe|illegal|positive|removed|withheld|canceled by|stopped by)\b/;

const CHECKER =
  /\b(?:moderat(?:ion|ed|or|ors|ing)|(?:content|prompt|safety|privacy|face|copyright|nsfw|ip|word|keyword|image|output|input) (?:filter\w*|checker|classifier|detector|guard\w*|shield)|(?:content|safety|security|compliance|risk|prompt|text|privacy|data) (?:safety |security )?(?:check\w*|review\w*|audit\w*|inspection|verification|screening|scan\w*|control\w*|system|settings?|mechanism|strategy|reasons?|concerns?)|content ?safety|safety (?:filter\w*|team)|nsfw|guardrails?|censor\w*|responsible ai|sentinel|trust and safety)\b/;

const POLICY =
  /\b(?:(?:content|usage|use|safety|privacy|moderation|community|platform|copyright|prohibited use|generation|ai|security) (?:\w+ )?(?:polic(?:y|ies)|guidelines?|standards|rules|restrictions|terms|principles|practices)|terms of (?:service|use)|responsible ai)\b/;

/** Nouns that make an adjective a statement about content. */
const CONTENT =
  /\b(?:content|prompts?|images?|pictures?|photos?|texts?|input|inputs|video|audio|output|outputs|frames?|words?|wording|material|topics?|information|media|keywords?|terms?|description|speech|subject)\b/;

const RIGHTS =
  /\b(?:copyright(?:ed|s)?|trademark(?:ed|s)?|intellectual property|likeness(?:es)?|celebrit\w+|public figures?|prominent (?:people|persons?)|real (?:people|persons?|human\w*)|recogni[sz]able (?:people|persons?|faces?)|minors|child safety|protected (?:content|characters?|material))\b/;

const TOPIC =
  /\b(?:sexual\w*|nudity|nude|porn\w*|erotic\w*|violen(?:ce|t)|gore|gory|hate|hateful|harassment|self harm|terroris\w+|politic\w+)\b/;

/** A checker that is out of order has refused nothing. */
const TROUBLE =
  /\btime[ds]? ?out\b|\btimeout\b|\bunavailable\b|\bunreachable\b|\bconnection\b|\boverload\w*|\b(?:service|api|server|endpoint|backend|model|module|worker|process) (?:(?:is|was|has|had) )?(?:down|error|errored|failed|failure|crash\w*|(?:did |does )?not (?:respond|reach|load|start)\w*|returned (?:an error|5\d\d))|\b(?:failed|unable|could not|cannot|can't|couldn't) (?:to )?(?:be )?(?:load\w*|initiali[sz]\w*|start\w*|reach\w*|respond\w*|download\w*|connect\w*|call\w*|contact\w*|import\w*)|\bout of memory\b|\bcase sensitive\b|\btime sensitive\b|\b(?:no|not|never|without) (?:been |be )?(?:flagged|nsfw|unsafe|sensitive|blocked|any violation\w*)|\bpassed (?:the |all )?(?:moderation|safety|content)\b/;

const IMAGE =
  /\b(?:images?|pictures?|photos?|jpe?g|png|webp|heic|heif|avif|gif|svg|tiff|bmp|base ?64|data ?ur[il]|media|(?:input|source|reference|uploaded|remote) files?|the file|files?|ur[il]s?|links?|(?:first|last|start|end|tail|head) frames?|references?|asset)\b/;

/** Verbs of failing, and of reading. */
const CANNOT =
  /\b(?:cannot|can't|could not|couldn't|unable to|fail(?:ed|s|ure|ing)? (?:to|in|on)|failed|not able to|error (?:while |when |in |on )?|impossible to|problem)\b/;
const READING =
  /\b(?:identif\w+|unidentified|read(?:ing)?|load(?:ed|ing)?|open(?:ed|ing)?|decod\w+|pars\w+|fetch\w*|download\w*|access\w*|retriev\w*|process(?:ed|ing)?|recogni[sz]\w+|resolv\w+|get|import\w*)\b/;

const UNUSABLE =
  /\b(?:bad|empty|(?:does |do )?not match format|unidentified|corrupt\w*|truncated|damaged|broken|malformed|unsupported|not supported|not (?:in )?(?:a )?valid|invalid|not (?:point|lead|refer)\w* to|not an image|no(?:t an?)? (?:valid )?image|inaccessible|not (?:publicly )?accessible|unreachable|not (?:be )?found|expired|forbidden|40[134]|410|decompression bomb|incorrect padding|too (?:large|small|big|wide|narrow|tall|heavy|blurry|low)|undecodable|unreadable|illegal|wrong|only supports?|(?:load|download|decode|open|read|fetch|parse|format|type) (?:error|failed|failure))\b/;

const MEASURE =
  /\b(?:dimensions?|resolutions?|aspect ratio|pixels?|megapixels?|size|width|height|sides?|mb|kb|mib|bytes|px|format|mime|content type|extension|\d{2,5} ?x ?\d{2,5})\b/;
const LIMIT =
  /\b(?:invalid|exceed\w*|at (?:least|most)|must|should|less|greater|larger|smaller|bigger|lower|higher|between|minimum|maximum|min|max|limit|not supported|unsupported|unknown|out of range|only supports?|mismatch|wrong|too)\b/;

/** About files of the model, its output, or something that is no image. */
const NOT_THE_REFERENCE =
  /\b(?:weights?|checkpoints?|lora|tokenizer|safetensors?|state dict|config\w*|docker|container|pull(?:ing)?|model files?|output\w*|result\w*|upload(?:ing)?|sav(?:e|ing)|encod(?:e|ing)|generat(?:e|ing|ion)|webhook|callback|images? to videos?|text to image|latents?|vae|polic(?:y|ies)|metadata|manifest)\b/;

const ROWS: Readonly<Record<Family, Row>> = {
  refusal: {
    phrases: [
      [/\bflagged\b/],
      [
        /\b(?:content|prompt|request|image|video|output|input|result) (?:was |is |were |has been )?moderated\b/,
      ],
      [
        /\b(?:content|prompt) (?:was |is |has been )?(?:rejected|refused|denied|withheld|banned)\b(?!.{0,60}(?:long|length|exceed|empty|character|token))/,
      ],
      [
        /\b(?:blocked|banned|forbidden|blacklisted) (?:\w+ )?(?:words?|terms?|keywords?|phrases?)\b|\bblock ?list\b/,
      ],
      [
        /\bfail(?:ed|s|ure|ing)?:? (?:the |our |its |in |at )?(?:\w+ )?(?:moderation|audit|review|inspection|safety checks?|risk control)\b/,
      ],
      [/\bpolicy violation\b/],
      [/\bviolat\w+\b/, /\b(?:terms|polic(?:y|ies)|guidelines?)\b/],
      [/\b(?:reason|cause|error|code|status|refused):? nsfw\b/],
      [TOPIC, CHECKER],
      [/\b(?:image|finish reason:?|reason:|blocked:) safety\b/],
      [
        /\b(?:a|real|human|person's|people's|the) faces?\b/,
        /\b(?:not|n't) (?:be )?(?:allowed|permitted|accepted)\b|\bprohibited\b/,
      ],
      [CHECKER, DENIED],
      [
        /\b(?:moderation|nsfw|(?:content|safety|security|compliance) (?:check|review|audit|inspection|verification|screening)|risk control|data inspection) (?:check )?(?:has |was |is )?(?:failed|fail|failure|not passed|error)\b/,
      ],
      [/\brisk ?control\b/],
      [POLICY, DENIED],
      [
        /\b(?:our|their|its|the|[a-z]+'s) (?:\w+ ){0,2}(?:polic(?:y|ies)|guidelines?|standards|rules|terms)\b/,
        /\b(?:violat\w+|breach\w*|contraven\w+|goes against|go against)\b/,
      ],
      [/\b(?:content|prompt|input) polic(?:y|ies)\b/, /\b(?:error|exception)\b/],
      [/\bnsfw (?:content|image|prompt|material|output|concept)/],
      [/\b(?:potential|possible|possibly|contains?|contained|containing) (?:an? )?nsfw\b/],
      [
        /\bsensitive (?:\w+ ){0,2}(?:content|information|words?|material|topics?|images?|text|data|subjects?|terms?|keywords?|frames?|prompts?)\b/,
      ],
      [
        /\b(?:is|are|was|were|be|as|deemed|considered|contains?|appears?|new|potentially|possibly|too|input|output) sensitive\b/,
      ],
      [
        /\b(?:inappropriate|objectionable|offensive|harmful|obscene|indecent|unsafe|prohibited|illicit|not safe|banned|violating|inadmissible)\b/,
        CONTENT,
      ],
      [
        /\b(?:restricted|explicit|disallowed|illegal|forbidden|adult|graphic) (?:\w+ )?(?:content|material|topics?|words?|imagery|terms?)\b/,
      ],
      [
        RIGHTS,
        /\b(?:may|might|contains?|contained|containing|detect\w*|similar|resembl\w+|due to|because|restrict\w*|conflict\w*|protect\w*|concerns?|infring\w+|issue|policy)\b|\b(?:not|n't|cannot be) /,
      ],
      [RIGHTS, DENIED],
      [/\bip (?:conflict|infringement|violation|restriction)/],
      [
        TOPIC,
        DENIED,
        /\b(?:content|prompt|image|detected|rejected|blocked|flagged|categor\w+|material|input|output|frames?)\b/,
      ],
      [
        /\bsafety (?:input|output|text|image|video|error|violation|violated|refusal|block\w*|reject\w*)\b/,
      ],
      [/\baudit\w* (?:submit )?(?:illegal|failed|rejected|blocked|not passed)\b/],
      [
        /\b(?:can ?not|can't|unable to|won't|not able to) (?:help|assist|comply|fulfil\w*)\b/,
        /\b(?:with|request|that|this)\b/,
      ],
      [/敏感|违规|风控|内容安全|不合规|涉黄|色情|侵权/],
      [/审核|审查|检测/, /未通过|不通过|失败|拒绝|拦截/],
    ],
    unless: TROUBLE,
  },
  capacity: {
    phrases: [
      [/\b(?:too many|rate|concurren\w+) (?:\w+ )?(?:requests?|limit\w*|exceed\w*|reached)\b/],
      [/\brate ?limit\w*\b|\bthrottl\w+|\btoo many (?:requests|tasks|jobs|concurrent)\b/],
      [
        /\b(?:status|code|http|error|httperror|returned|got|response)(?: (?:status|code|error|response)){0,3}[ :=]{1,3}(?:429|529)\b|\b429 (?:client error|too many)/,
      ],
      [/\bquota\b/, /\b(?:exceed\w*|exhaust\w*|reached|limit\w*|over|insufficient|no)\b/],
      [
        /\bresources? (?:has been |is |are )?exhausted\b|\bresources? (?:not |un)available\b|\bresource shortage\b/,
      ],
      [
        /\boverload\w*\b|\bat (?:full |max\w* )?capacity\b|\b(?:no|insufficient|not enough|out of|over|gpu|compute|server|limited|lack of) (?:\w+ )?capacity\b|\bcapacity (?:is |was |has been )?(?:exceeded|reached|constraints?|full|limit\w*|issues?|unavailable)\b/,
      ],
      [
        /\b(?:server|service|system|engine|model|workers?|gpus?|queue|platform|provider|all|too|currently|is|are) busy\b/,
      ],
      [
        /\b(?:high|heavy|peak|excessive|increased|unusual) (?:\w+ )?(?:demand|load|traffic|usage)\b/,
      ],
      [/\bqueue (?:is |was )?(?:full|limit|too long|size exceeded)\b/],
      [
        /\bno (?:\w+ )?(?:gpus?|workers?|instances?|machines?|runners?|slots?|nodes?) (?:is |are |were )?(?:\w+ )?(?:available|free|left|ready)\b|\bno available (?:\w+ )?(?:gpus?|workers?|instances?|machines?|runners?|slots?|nodes?|channels?)\b/,
      ],
      [/限流|繁忙|排队|并发|负载过高|频率/],
    ],
  },
  outage: {
    phrases: [
      [
        /\b(?:temporar\w+|currently|momentarily) (?:\w+ )?(?:unavailable|down|offline|not available|disabled|suspended)\b/,
      ],
      [
        /\bservice (?:is |was )?(?:\w+ )?(?:unavailable|not available|down)\b|\bunder maintenance\b|\bmaintenance (?:mode|window)\b|\b(?:server|service|model|api|backend|upstream|endpoint|moderation \w+) (?:is |was )?(?:temporarily |currently )?(?:unavailable|unreachable|not responding|down|offline)\b/,
      ],
      [/维护|暂时不可用|服务不可用/],
    ],
  },
  transport: {
    phrases: [
      [
        /\bconnect(?:ion|ions)? ?(?:pool |was |is |has been |to \w+ )?(?:error|refused|reset|aborted|closed|timed? ?out|timeout|lost|failed|failure|dropped|terminated|broken|interrupted|unexpectedly|attempts? failed)\b/,
      ],
      [
        /\b(?:connect|read|write|pool|gateway|socket|request|network|inference|server) ?(?:timed? ?out|timeout)\b|\btimeout (?:error|exception|exceeded|expired|reached|while|waiting|after|during)\b|\btim(?:ed|es|e|ing) out\b(?! (?:must|should|of range))|\btimeout\b(?! (?:must|should|parameter|value|is required|has to|needs|in the range))/,
      ],
      [/\bdeadline exceeded\b|\bmax(?:imum)? retries\b|\bretries exceeded\b/],
      [
        /\b(?:failed|unable|cannot|can't|could not|couldn't|error) (?:to |while |when )?(?:connect\w*|establish\w*|reach\w*|contact\w*|communicat\w+)\b/,
      ],
      [
        /\bremote (?:end closed|disconnected|protocol|host closed)|\bbroken pipe\b|\beconn\w+|\betimedout\b|\benotfound\b|\beai ?again\b|\behostunreach\b|\bepipe\b|\benetunreach\b/,
      ],
      [
        /\bname (?:or service not known|resolution)\b|\bgetaddrinfo\b|\bdns\b|\bno route to host\b|\bname resolution error\b/,
      ],
      [
        /\bsocket (?:hang up|hangup|error|closed|exception)\b|\bnetwork (?:error|failure|problem|issue|is unreachable|unreachable|connection)\b|\bssl ?(?:error|eof|zero|cert\w*|handshake|:|v3|want)|\btls (?:error|handshake|alert)|\bcertificate (?:verify|has expired)\b|\bhandshake\b/,
      ],
      [
        /\b(?:status|code|http|error|httperror|returned|got|response|https)(?: (?:status|code|error|response)){0,3}[ :=]{1,3}(?:408|425|5\d\d)\b/,
      ],
      [
        /\b5\d\d (?:server error|bad gateway|service unavailable|service temporarily|internal server|gateway time|internal error)|\b5\d\d: (?:\w+ )?(?:server|gateway|unavailable|internal)/,
      ],
      [
        /\bbad ?gateway\b|\bgateway ?timeout\b|\binternal (?:server |service |system )?(?:error|failure|exception)\b|\bserver (?:error|disconnected|exception|failure)\b|\bupstream (?:connect|error|server|service|request|prematurely|reset|timed?|failure)/,
      ],
      [
        /\bincomplete ?read\b|\bchunked ?encoding\b|\bstream (?:error|closed|reset|was reset|ended)\b|\bunexpected (?:eof|end of (?:file|stream))\b|\beof occurred\b|\bcontent length mismatch\b|\bresponse payload is not completed\b|\bpeer closed\b|\bprematurely closed\b|\bfetch failed\b|\bread operation\b|\bproxy ?error\b|\bhttp ?2 ?(?:stream|protocol|error)|\bgoaway\b/,
      ],
      [/超时|网络错误|网络异常|服务器内部|内部错误|系统错误|系统异常/],
    ],
  },
  reference: {
    phrases: [
      [IMAGE, CANNOT, READING],
      [IMAGE, UNUSABLE],
      [IMAGE, MEASURE, LIMIT],
      [/\b(?:unidentified ?image|decompression ?bomb)/],
      [/\b(?:invalid|unsupported) (?:image|media|file|mime|base64|url|uri)/],
      [/\bincorrect padding\b/],
      [/图片|图像|链接/, /失败|无效|不支持|过大|过小|错误|超过|无法|格式/],
    ],
    unless: NOT_THE_REFERENCE,
  },
  input: {
    phrases: [
      [
        /\bvalidation (?:error|failed|failure|exception|problem)|\b(?:input|request|schema|parameter|argument|prompt) validation\b|\bfailed validation\b|\b(?:does not|did not|doesn't) validate\b/,
      ],
      [
        /\b(?:invalid|illegal|unsupported|unknown|unrecogni[sz]ed|unexpected|missing|wrong|incorrect|bad|malformed) (?:\w+ ){0,2}(?:inputs?|parameters?|params?|arguments?|request|prompts?|options?|durations?|resolutions?|ratios?|ratio|values?|fields?|settings?|seeds?|lengths?|fps|modes?|keys? in input|combination|json body)\b/,
      ],
      [
        /\b(?:parameters?|params?|arguments?|inputs?|values?|fields?|options?|prompts?|durations?|resolutions?|ratio|seed|fps|mode|request|length|combination|tokens?|frames?|steps)\b/,
        /\b(?:is|are|was|were) (?:not |in)(?:valid|supported|allowed|permitted|available|compatible|recogni[sz]ed|correct)|\bnot (?:a )?valid\b|\bnot supported\b|\bunsupported\b|\b(?:is|are) (?:required|missing|empty|mandatory)|\bmissing\b|\bcannot be (?:empty|null|blank|used|mixed|combined|negative|set|specified)|\bmust (?:be|not|have|contain|match|provide|specify)\b|\bshould be (?:one|in|between|at|less|greater|a |an )|\bout of (?:range|bounds)\b|\btoo (?:long|short|large|small|many|few|high|low)\b|\bexceed\w*\b|\blonger than\b|\bat most\b|\bat least\b|\bless than or equal\b|\bgreater than or equal\b|\bmutually exclusive\b|\bincompatible\b|\binvalid\b/,
      ],
      [
        /\bfield required\b|\bmissing required\b|\brequired (?:field|parameter|input|argument|property)\b|\bis a required\b|\bmutually exclusive\b|\bcannot be (?:mixed|combined|used together|used with)\b|\bmust be (?:one of|between|in the range|at least|at most|less than|greater than|a multiple|divisible|[<>])|\b(?:input|string) should (?:be|have|match)\b|\bshould be one of\b|\bnot one of\b|\bunexpected keyword argument\b/,
      ],
      [
        /\bbad request\b|\bunprocessable\b|\b(?:status|code|http|error|httperror|returned|got)(?: (?:status|code|error)){0,3}[ :=]{1,3}4(?:00|13|15|22)\b|\binvalid ?(?:parameter|argument|request|input)\b|\b(?:parameters?|arguments?|params?) (?:error|exception)\b/,
      ],
      [/参数/, /错误|异常|非法|不合法|无效|缺少|不能为空|超出/],
      [/提示词|描述/, /过长|超过|为空|超出/],
    ],
    unless:
      /\bcuda\b|\bcudnn\b|\bcublas\b|\bnccl\b|\b(?:api|access|secret|auth\w*|session) (?:key|token)\b|\bcredentials?\b|\bresponse\b|\boutput\b|\bwebhook\b/,
  },
  again: {
    phrases: [
      [
        /\b(?:try|retry) (?:it |this |your request |the request |the operation |running it )?(?:again|later|in a)|\bplease retry\b|\bretry (?:your|the|this|later|after)\b|\btransient\b|\btemporar(?:y|ily) (?:error|failure|problem|issue|fail\w*)/,
      ],
      [/稍后|重试/],
    ],
  },
};

/** Does a clause match a phrase of the family? */
export const mentions = (family: Family, clauses: Clauses): boolean => {
  const { phrases, unless } = ROWS[family];
  return clauses.some(
    (clause) =>
      unless?.test(clause) !== true &&
      phrases.some((phrase) => phrase.every((pattern) => pattern.test(clause))),
  );
};
