#!/usr/bin/env bash
# Imports point one way: main -> node -> {cluster, channels} -> storage ->
# storage/{alert,audience,receipt}. Prints every arrow the other way; exit 1 then.
set -euo pipefail
cd "$(dirname "$0")/.."

# FROM TO...: packages under FROM may import only these prefixes of ours; with a ! only that
# package.
rules='
almenara/storage/alert
almenara/storage/alert/schema
almenara/storage/alert/tokens almenara/storage/alert!
almenara/storage/alert/check almenara/storage/alert!
almenara/storage/alert/visited almenara/storage/alert!
almenara/storage/alert/capxml almenara/storage/alert! almenara/storage/alert/check almenara/storage/alert/schema almenara/storage/alert/tokens
almenara/storage/alert/capjson almenara/storage/alert! almenara/storage/alert/check almenara/storage/alert/schema almenara/storage/alert/tokens
almenara/storage/alert/board almenara/storage/alert!
almenara/storage/alert/alerttest almenara/storage/alert
almenara/storage/receipt almenara/storage/alert
almenara/storage/audience almenara/storage/alert almenara/storage/audience/geometry
almenara/storage/audience/areas almenara/storage/alert almenara/storage/audience! almenara/storage/audience/geometry
almenara/storage/audience/lookup almenara/storage/alert almenara/storage/audience! almenara/storage/audience/geometry
almenara/storage/audience/lookup/sets
almenara/storage/audience/lookup/grid almenara/storage/audience/geometry almenara/storage/audience/lookup/sets
almenara/storage/audience/imports almenara/storage/alert almenara/storage/audience! almenara/storage/audience/geometry
almenara/storage/audience/audiencetest almenara/storage/alert almenara/storage/audience! almenara/storage/audience/geometry
almenara/storage/audience/geometry
almenara/storage almenara/storage
almenara/storage/signin almenara/storage!
almenara/storage/personal almenara/storage!
almenara/storage/member almenara/storage! almenara/storage/audience!
almenara/storage/factlog almenara/storage!
almenara/storage/factbody almenara/storage! almenara/storage/rights almenara/storage/alert almenara/storage/audience
almenara/storage/rights almenara/storage!
almenara/storage/notice almenara/storage! almenara/storage/rights
almenara/storage/noderecord almenara/storage!
almenara/storage/results almenara/storage!
almenara/storage/archived almenara/storage! almenara/storage/factlog
almenara/storage/audit almenara/storage! almenara/storage/dumpfile
almenara/storage/dumpfile
almenara/storage/tablefiles
almenara/storage/storagetest almenara/storage!
almenara/cluster almenara/cluster almenara/storage
almenara/cluster/foreign
almenara/cluster/quorum
almenara/cluster/hclogs
almenara/cluster/raftlog almenara/cluster/hclogs almenara/storage/durable
almenara/cluster/marks almenara/cluster/identity almenara/cluster/raftlog almenara/storage/durable
almenara/cluster/group almenara/cluster/memory almenara/cluster/quorum almenara/cluster/raftfix
almenara/cluster/proposals almenara/cluster/group almenara/cluster/internode! almenara/cluster/outcome almenara/cluster/peers almenara/cluster/raftlog
almenara/cluster/fence almenara/cluster/group almenara/cluster/identity almenara/cluster/internode! almenara/cluster/marks almenara/cluster/outcome almenara/cluster/peers
almenara/cluster/membership almenara/cluster/foreign almenara/cluster/group almenara/cluster/identity almenara/cluster/internode! almenara/cluster/joining almenara/cluster/marks almenara/cluster/memory almenara/cluster/outcome almenara/cluster/peers almenara/cluster/proposals almenara/cluster/raftlog
almenara/cluster/outcome almenara/cluster/internode! almenara/cluster/raftlog!
almenara/cluster/joining almenara/cluster/foreign almenara/cluster/identity almenara/cluster/internode! almenara/cluster/outcome almenara/cluster/peers almenara/storage/durable
almenara/cluster/recovery almenara/cluster/hclogs almenara/cluster/identity almenara/cluster/marks almenara/cluster/raftlog almenara/storage/durable
almenara/cluster/memory almenara/cluster/identity almenara/storage/durable
almenara/cluster/peers almenara/cluster/internode almenara/storage/durable
almenara/cluster/internode almenara/cluster/identity almenara/cluster/connlimit
almenara/cluster/connlimit
almenara/cluster/fact almenara/storage/durable
almenara/cluster/journal almenara/cluster/fact almenara/storage/durable
almenara/cluster/exchange almenara/cluster/fact almenara/cluster/journal!
almenara/cluster/tallies almenara/cluster/fact almenara/storage
almenara/cluster/archive almenara/cluster/fact almenara/storage
almenara/cluster/derived almenara/cluster/archive almenara/cluster/tallies almenara/storage
almenara/cluster/refusal
almenara/cluster/apply/signins almenara/cluster/command almenara/storage
almenara/cluster/apply/notices almenara/cluster/command almenara/storage
almenara/cluster/apply/nodes almenara/cluster/command almenara/storage
almenara/cluster/apply/personal almenara/cluster/command almenara/cluster/derived almenara/cluster/fact almenara/storage
almenara/cluster/apply/places almenara/cluster/command almenara/cluster/derived almenara/storage
almenara/cluster/apply almenara/cluster/archive almenara/cluster/command almenara/cluster/derived almenara/cluster/fact almenara/cluster/tallies almenara/storage
almenara/cluster/fsm almenara/cluster/apply almenara/cluster/command almenara/cluster/derived almenara/cluster/fact almenara/storage
almenara/cluster/agreed almenara/cluster/archive almenara/cluster/derived almenara/cluster/fact almenara/storage
almenara/cluster/raftfix almenara/cluster/raftlog
almenara/cluster/identity almenara/cluster/foreign almenara/storage/durable
almenara/channels almenara/channels almenara/storage/alert almenara/storage/audience almenara/storage/receipt
almenara/channels/signal
almenara/channels/plain
almenara/channels/agent almenara/channels/agent/picture almenara/channels/contract! almenara/channels/device almenara/channels/pages
almenara/channels/agent/kiosk
almenara/channels/agent/picture
almenara/channels/agent/boxclock
almenara/channels/agent/cec
almenara/channels/speaker almenara/channels/contract! almenara/channels/device/rules almenara/channels/signal
almenara/channels/speaker/rtp
almenara/channels/sign
almenara/channels/pages almenara/channels/contract/js
almenara/channels/ledger almenara/channels! almenara/channels/contract almenara/storage/alert almenara/storage/receipt almenara/storage/durable
almenara/channels/contract
almenara/channels/contract/js
almenara/channels/contract/vectors almenara/channels/contract!
almenara/channels/device/rules almenara/channels/contract!
almenara/channels/device/outbox almenara/channels/contract!
almenara/channels/device/past almenara/channels/contract! almenara/channels/device/rules
almenara/channels/device/check almenara/channels/contract! almenara/channels/mqtt/delivery almenara/channels/mqtt/packet almenara/channels/mqtt/websocket
almenara/channels/mqtt/packet
almenara/channels/mqtt/poller
almenara/channels/mqtt/websocket
almenara/channels/mqtt/metrics almenara/channels/mqtt/packet
almenara/channels/mqtt/answers almenara/channels/mqtt/packet
almenara/channels/mqtt/accept almenara/channels/mqtt/nonblocking almenara/channels/mqtt/websocket
almenara/channels/mqtt/delivery almenara/channels! almenara/channels/contract almenara/channels/mqtt/packet almenara/storage/alert almenara/storage/receipt
almenara/channels/mqtt/nonblocking almenara/channels/mqtt/poller
almenara/node almenara/node almenara/cluster almenara/channels almenara/storage
almenara/node/machine almenara/storage almenara/node/wire
almenara/node/receipts/facts almenara/cluster/exchange almenara/cluster/fact almenara/cluster/journal almenara/node/receipts!
almenara/node/receipts almenara/channels almenara/storage/alert almenara/storage/receipt almenara/node/wire
almenara/node/folder almenara/cluster almenara/storage almenara/node/access almenara/node/backup almenara/node/originals almenara/node/reachable almenara/node/secret
almenara/node/folder/voters almenara/cluster/identity almenara/cluster/internode almenara/storage
almenara/node/secret
almenara/node/api almenara/channels/pages almenara/node/api almenara/node/authority almenara/node/inflight almenara/node/service almenara/node/web almenara/node/wire almenara/storage/alert almenara/storage/audience
almenara/node/api/routing almenara/node/api/openapi almenara/node/api/rates almenara/node/api/strictjson almenara/node/authority almenara/node/httpserver almenara/node/inflight almenara/node/service almenara/node/web almenara/node/wire
almenara/node/api/personal almenara/node/api/openapi almenara/node/api/routing almenara/node/authority almenara/node/service almenara/node/wire
almenara/node/personal almenara/cluster/command almenara/cluster/fact almenara/storage almenara/node/authority almenara/node/wire
almenara/node/wire/personal
almenara/node/api/personreports almenara/node/api/openapi almenara/node/api/routing almenara/node/authority almenara/node/service almenara/node/wire
almenara/node/api/places almenara/node/api/openapi almenara/node/api/routing almenara/node/authority almenara/node/service almenara/node/wire
almenara/node/places almenara/cluster/agreed almenara/cluster/command almenara/storage almenara/node/alerts almenara/node/authority almenara/node/known almenara/node/records almenara/node/wire
almenara/node/wire/places almenara/node/wire!
almenara/node/cli/placecmd almenara/node/cli/command almenara/node/cli/terminal almenara/node/client almenara/node/wire
almenara/node/web/console/places almenara/node/authority almenara/node/service almenara/node/web/console/drawing almenara/node/web/console/frame almenara/node/web/console/view almenara/node/web/console/words almenara/node/wire
almenara/node/api/checkins almenara/node/api/openapi almenara/node/api/routing almenara/node/authority almenara/node/service almenara/node/wire
almenara/node/api/notices almenara/node/api/openapi almenara/node/api/routing almenara/node/authority almenara/node/service almenara/node/wire
almenara/node/api/capreply almenara/node/wire almenara/storage/alert
almenara/node/api/streams almenara/node/wire
almenara/node/api/rates almenara/node/authority almenara/node/inflight almenara/node/ratelimit almenara/node/wire
almenara/node/service almenara/node/authority almenara/node/wire
almenara/node/httpserver
almenara/node/signin/passkeys almenara/storage/noderecord almenara/storage/signin
almenara/node/signin almenara/cluster/command almenara/storage almenara/node/authority almenara/node/ratelimit almenara/node/secret almenara/node/wire
almenara/node/api/openapi almenara/node/wire
almenara/node/api/strictjson almenara/node/wire
almenara/node/cli/terminal
almenara/node/cli/tables almenara/node/cli/terminal almenara/node/wire
almenara/node/cli/inprocess almenara/node/backup almenara/node/wire
almenara/node/cli/completion almenara/node/cli/command
almenara/node/cli/command almenara/node/access almenara/node/api/strictjson almenara/node/cli/inprocess almenara/node/cli/terminal almenara/node/client almenara/node/wire
almenara/node/web/console/enrol almenara/node/authority almenara/node/enrol! almenara/node/service almenara/node/web/console/frame almenara/node/wire
almenara/node/web/console/frame almenara/node/api/rates almenara/node/authority almenara/node/service almenara/node/signin! almenara/node/web! almenara/node/web/console/said almenara/node/web/console/words almenara/node/wire
almenara/node/web/console/drawing almenara/node/web/console/words almenara/node/wire
almenara/node/web/console/compose/picture almenara/node/wire
almenara/node/web/console/compose/further almenara/node/wire
almenara/node/web/console/compose almenara/node/authority almenara/node/service almenara/node/web/console/drawing almenara/node/web/console/frame almenara/node/web/console/view almenara/node/web/console/words almenara/node/wire
almenara/node/web/console almenara/node/api/streams almenara/node/authority almenara/node/inflight almenara/node/scenario/ready almenara/node/service almenara/node/signin! almenara/node/signin/passkeys almenara/node/web almenara/node/wire
almenara/node/web/console/residents almenara/node/authority almenara/node/service almenara/node/web/console/frame almenara/node/web/console/view almenara/node/wire
almenara/node/web/console/personal almenara/node/authority almenara/node/service almenara/node/web/console/frame almenara/node/web/console/view almenara/node/wire
almenara/node/web/console/checkins almenara/node/authority almenara/node/service almenara/node/web/console/frame almenara/node/web/console/view almenara/node/wire
almenara/node/web/console/reports almenara/node/authority almenara/node/service almenara/node/web/console/drawing almenara/node/web/console/frame almenara/node/web/console/view almenara/node/wire
almenara/node/web/console/audience almenara/node/authority almenara/node/inflight almenara/node/service almenara/node/web/console/frame almenara/node/web/console/view almenara/node/wire
almenara/node/web/console/fleet almenara/node/authority almenara/node/service almenara/node/web/console/frame almenara/node/web/console/view almenara/node/wire
almenara/node/web/console/notices almenara/node/authority almenara/node/service almenara/node/web/console/frame almenara/node/web/console/view almenara/node/wire
almenara/node/web/console/scenarios almenara/node/api/strictjson almenara/node/authority almenara/node/scenario/ready almenara/node/service almenara/node/web/console/compose/further almenara/node/web/console/frame almenara/node/web/console/view almenara/node/web/console/words almenara/node/wire
almenara/node/web/console/people almenara/node/authority almenara/node/service almenara/node/web/console/frame almenara/node/web/console/view almenara/node/wire
almenara/node/web/console/words
almenara/node/web/console/handbook almenara/channels/contract! almenara/node/authority almenara/node/web/console/frame almenara/node/web/console/words almenara/node/wire
almenara/node/web almenara/node/wire
almenara/node/wire/sheets almenara/node/wire!
almenara/node/wire/acts
almenara/node/wire/able almenara/node/wire/why
almenara/node/wire/caution almenara/node/wire/headline
almenara/node/wire/headline almenara/storage/alert!
almenara/node/wire/devicehealth
almenara/node/wire/looks
almenara/node/wire/notices
almenara/node/api/devicepages almenara/channels/pages almenara/node/api/openapi almenara/node/api/routing almenara/node/wire
almenara/node/wire/why
almenara/node/wire/reported
almenara/node/wire/splits
almenara/node/wire/visits
almenara/node/duties almenara/channels/signal almenara/cluster/proposals
almenara/node/inflight almenara/node/wire almenara/node/ratelimit
almenara/node/access almenara/storage/durable
almenara/storage/wait
almenara/storage/coded
almenara/node/web/console/said almenara/node/web/console/words almenara/node/wire
almenara/storage/loglimit
almenara/node/alone almenara/cluster almenara/storage
almenara/node/alerts almenara/node/wire/headline almenara/storage
almenara/node/newest almenara/storage almenara/node/alerts almenara/node/wire
almenara/node/stories almenara/cluster/fact almenara/cluster/agreed almenara/storage almenara/node/alerts almenara/node/shortid almenara/node/wire
almenara/node/addressed almenara/storage almenara/node/alerts almenara/node/stories almenara/node/wire
almenara/node/members almenara/storage almenara/node/known almenara/node/records almenara/node/wire
almenara/node/events almenara/cluster/apply almenara/storage/alert almenara/node/wire
almenara/node/splits almenara/cluster almenara/storage almenara/node/addressed almenara/node/alerts almenara/node/stories almenara/node/wire
almenara/node/records almenara/cluster almenara/storage almenara/node/shortid almenara/node/alone almenara/node/authority almenara/node/known almenara/node/secret almenara/node/wire
almenara/node/enrol almenara/node/api/rates almenara/node/api/strictjson almenara/node/authority almenara/node/web! almenara/node/wire
almenara/node/intake/narrowed almenara/node/authority almenara/node/wire almenara/storage/audience
almenara/node/authority/inplaces almenara/node/authority! almenara/node/wire almenara/storage/audience!
almenara/node/records/usernames almenara/storage almenara/node/wire
almenara/node/records/held almenara/storage almenara/node/authority almenara/node/wire
almenara/node/residents/fair
almenara/node/residents/recalled almenara/cluster/agreed almenara/cluster/fact almenara/storage/alert
almenara/node/ability almenara/channels! almenara/storage/durable almenara/channels/contract almenara/channels/mqtt! almenara/node/authority almenara/node/whereabouts almenara/node/wire
almenara/node/noise almenara/storage almenara/node/alerts almenara/node/wire
almenara/node/sendername almenara/storage
almenara/node/contradictions almenara/storage/alert
almenara/node/instep almenara/channels! almenara/channels/contract almenara/node/reached almenara/node/stories almenara/storage/alert almenara/storage/receipt
almenara/node/keyring almenara/channels/contract almenara/cluster almenara/storage almenara/node/access
almenara/node/district almenara/cluster almenara/storage almenara/node/access almenara/node/authority almenara/node/folder almenara/node/wire
almenara/node/membership almenara/cluster almenara/storage almenara/node/admission almenara/node/authority almenara/node/folder almenara/node/keyring almenara/node/records almenara/node/wire
almenara/node/status almenara/cluster almenara/storage almenara/node/alone almenara/node/district almenara/node/expiry almenara/node/keyring almenara/node/records almenara/node/wire
almenara/node/policy almenara/cluster almenara/storage almenara/node/authority almenara/node/known almenara/node/levels almenara/node/scenario almenara/node/sendername almenara/node/shortid almenara/node/wire almenara/node/wording
almenara/node/wording almenara/storage/alert almenara/node/wire
almenara/node/scenario/ready almenara/node/wire
almenara/node/deviceconns almenara/channels almenara/cluster/connlimit
almenara/node/heard almenara/channels almenara/node/ability almenara/node/instep almenara/node/presence almenara/node/reports almenara/node/residents
almenara/node/levels almenara/cluster/command almenara/storage almenara/node/authority almenara/node/scenario! almenara/node/wire
almenara/node/notices almenara/cluster/agreed almenara/cluster/apply! almenara/cluster/command almenara/storage almenara/node/authority almenara/node/intake almenara/node/judge almenara/node/levels almenara/node/scenario! almenara/node/sendername almenara/node/shortid almenara/node/wire almenara/node/wording
almenara/node/scenario almenara/storage almenara/node/escalation almenara/node/judge almenara/node/shortid almenara/node/wire
almenara/node/known almenara/storage almenara/node/wire
almenara/node/replication almenara/cluster/exchange almenara/cluster/fact almenara/cluster/journal almenara/node/inflight almenara/node/wire
almenara/node/notes almenara/channels/signal almenara/cluster/exchange almenara/cluster/fact almenara/storage
almenara/node/read almenara/channels! almenara/cluster/agreed almenara/storage almenara/node/addressed almenara/node/alerts almenara/node/authority almenara/node/authority/inplaces almenara/node/contradictions almenara/node/duplicates almenara/node/escalation almenara/node/followup almenara/node/members almenara/node/reached almenara/node/replication almenara/node/spokencode almenara/node/stories almenara/node/summaries almenara/node/texts almenara/node/whereabouts almenara/node/wire
almenara/node/texts almenara/channels! almenara/storage/alert almenara/node/wire
almenara/node/sounds almenara/channels! almenara/channels/contract! almenara/channels/device/rules almenara/channels/speaker! almenara/node/wire almenara/storage/alert
almenara/node/afteraction almenara/cluster/agreed almenara/storage almenara/node/addressed almenara/node/alerts almenara/node/authority almenara/node/authority/inplaces almenara/node/members almenara/node/reached almenara/node/stories almenara/node/wire
almenara/node/outcome almenara/cluster/exchange almenara/cluster/peers almenara/storage/alert almenara/node/addressed almenara/node/alerts almenara/node/authority almenara/node/inflight almenara/node/members almenara/node/replication almenara/node/stories almenara/node/texts almenara/node/wire
almenara/node/spokencode almenara/node/wire
almenara/node/followup almenara/cluster/agreed almenara/cluster/exchange almenara/cluster/fact almenara/storage almenara/node/addressed almenara/node/alerts almenara/node/authority almenara/node/reached almenara/node/replication almenara/node/stories almenara/node/wire
almenara/node/escalation almenara/storage almenara/node/addressed almenara/node/alerts almenara/node/followup almenara/node/reached almenara/node/stories almenara/node/wire
almenara/node/residents/floods almenara/node/ratelimit almenara/storage/factbody
almenara/node/residents/picture
almenara/node/residents/refusals almenara/node/wire
almenara/node/residents/signedby almenara/storage/noderecord
almenara/node/residents/typed
almenara/node/checkin almenara/channels! almenara/channels/contract! almenara/storage almenara/node/authority! almenara/node/known almenara/node/ratelimit almenara/node/residents! almenara/node/residents/floods almenara/node/residents/picture almenara/node/residents/refusals almenara/node/residents/signedby almenara/node/wire
almenara/node/residents almenara/channels! almenara/channels/contract! almenara/cluster/agreed almenara/cluster/exchange almenara/cluster/fact almenara/storage almenara/node/authority almenara/node/replication almenara/node/reports almenara/node/residents/floods almenara/node/residents/picture almenara/node/residents/refusals almenara/node/residents/signedby almenara/node/residents/typed almenara/node/shortid almenara/node/wire
almenara/node/web/residents almenara/channels/contract! almenara/node/api/rates almenara/node/checkin! almenara/node/inflight almenara/node/residents! almenara/node/residents/refusals almenara/node/web! almenara/node/wire almenara/storage/alert/visited almenara/storage/factbody
almenara/node/reports almenara/channels! almenara/channels/contract! almenara/channels/mqtt! almenara/cluster/agreed almenara/cluster/exchange almenara/cluster/fact almenara/storage almenara/node/authority almenara/node/replication almenara/node/wire
almenara/node/approvals almenara/cluster/exchange almenara/cluster/fact almenara/storage almenara/node/alerts almenara/node/authority almenara/node/outcome almenara/node/replication almenara/node/spokencode almenara/node/stories almenara/node/wire
almenara/node/intake almenara/node/intake/narrowed almenara/cluster/agreed almenara/cluster/exchange almenara/cluster/fact almenara/storage almenara/node/alerts almenara/node/alone almenara/node/authority almenara/node/budget almenara/node/correction almenara/node/district almenara/node/escalation almenara/node/judge almenara/node/known almenara/node/newest almenara/node/noise almenara/node/notes almenara/node/originals almenara/node/outcome almenara/node/records almenara/node/replication almenara/node/scenario almenara/node/sendername almenara/node/shortid almenara/node/stories almenara/node/wire almenara/node/wording
almenara/node/simulation almenara/channels/contract! almenara/channels/device almenara/node/cli/inprocess almenara/node/demo
almenara/node/presence almenara/channels! almenara/channels/contract almenara/channels/mqtt! almenara/cluster/apply almenara/storage almenara/node/health almenara/node/secret almenara/node/wire
almenara/node/health almenara/channels/contract! almenara/node/wire
almenara/node/whereabouts almenara/node/wire
almenara/node/external almenara/channels! almenara/channels/broker almenara/channels/contract! almenara/channels/ledger almenara/cluster/apply almenara/storage almenara/node/health almenara/node/reachable almenara/node/wire
almenara/node/present almenara/channels! almenara/channels/contract almenara/channels/signal almenara/cluster/command almenara/cluster/fact almenara/storage almenara/node/alerts almenara/node/budget almenara/node/events almenara/node/replication almenara/node/wire
almenara/node/leaving almenara/channels/contract almenara/cluster
almenara/node/export almenara/storage almenara/node/authority almenara/node/folder almenara/node/wire
almenara/scripts almenara/node almenara/cluster almenara/channels almenara/storage
almenara almenara/node
'
bad=0
while read -r from to; do
  best=
  while read -r prefix allowed; do
    [ -n "$prefix" ] || continue
    case "$from" in "$prefix" | "$prefix"/*) [ ${#prefix} -gt ${#best} ] && { best=$prefix; may=$allowed; } ;; esac
  done <<<"$rules"
  # The root is one package; there are no further folders beside the layers.
  [ -n "$best" ] && { [ "$best" != almenara ] || [ "$from" = almenara ]; } || { echo "$from belongs to no layer"; bad=1; continue; }
  ok=
  case "$to" in "$best" | "$best"/*) [ "$best" = almenara ] || ok=1 ;; esac
  [ "$from" = "$to" ] && ok=1
  for p in $may; do case "$to" in "${p%!}") ok=1 ;; "$p"/*) ok=1 ;; esac; done
  case "$to" in almenara/storage/wait | almenara/storage/loglimit | almenara/storage/coded) ok=1 ;; esac # every layer waits, writes a log, and says what is wrong
  # channels must not reach Badger through the root storage package.
  case "$from $to" in "almenara/channels"*" almenara/storage") ok= ;; esac
  [ -n "$ok" ] || { echo "$from must not import $to"; bad=1; }
done < <(go list -f '{{$p := .ImportPath}}{{range .Imports}}{{$p}} {{.}}
{{end}}' ./... | awk '$2 ~ /^almenara(\/|$)/ && $1 != "" {print}')
exit $bad
