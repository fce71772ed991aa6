#!/usr/bin/env bash
# The tests under the race detector, those in which anything runs beside anything else. Needs Go
# and a C compiler.
#   scripts/race.sh            # all
#   scripts/race.sh raft       # cluster and node alone: raft under the detector needs the cores, or nobody leads for long
#   scripts/race.sh packages   # the other packages, which may run beside anything
#
# What only computes is left to the plain run: storage/alert and its readers, which have no goroutine and
# no lock, the packages in which nothing runs beside anything, neither in the code nor in the
# tests (where there is a lock alone, tests that take it one after the other show nothing; the whole nodes below take
# it from many sides), and the models of many seeds, each of which runs in one goroutine. The
# detector has nothing to find there, and takes ten times as long to say so. What counts allocations is left out: a
# sync.Pool drops some on purpose under the detector. TestExternalBroker and TestBroker are left out: their broker,
# mochi-mqtt 2.7.9, reads what is retained (topics.go, scanMessages) without the lock under which it is written
# (RetainMessage); channels/broker runs what we do with a broker under the detector. That a full
# spool drains without an election is not asked of a program that it slows down tenfold.
# Where a node's address changes in the configuration, hashicorp/raft 1.7.3 writes the peer
# under its lock (raft.go, "updating peer") and reads the peer's id without it
# (updateLastAppended): the id is the same before and after, and the tests that move nodes, or
# bring one back under a new id at its old address, would report nothing but that.
set -euo pipefail
cd "$(dirname "$0")/.."
computes='^(TestDistrict_DrainsAFullSpoolInPeace|TestMerge_|TestRoaming_|TestRules_HoldUnderAnySchedule|TestResolve_AgreesWithAskingEachMember|TestAddress_|TestDistrict_Moves|TestStatus_ANodeThatCannotBeCalled|TestLostLog_|TestRejoin_|TestRecover_OldMajority|TestNewcomer_Moves|TestNewcomer_IsKilled|TestBook_WithTextsGivenUp|TestDoor_WhatIsAccepted|TestWay_FromAnySender|TestSituation_WhateverIsInForce|TestSituation_NothingIsEver|TestBody_HasEvery|TestBody_HasOrNames|TestArchive_ChangesNo|TestTemplates$|TestPages_InChinese|TestRoutes_Refuse|TestErase_Property|TestErase_AnswersProperty|TestDevices_PageThroughTenThousand|TestBook_OfAnAlertWithManyUpdates|TestCount_IsWhatAllOf|TestTake_AnAlertHasSoMany|TestTake_OrdinaryUse|TestAttack_OneAddressNever|TestAttack_OtherLinks|TestAttack_MadeUpPhones|TestAttack_AFloodOfSeen|TestAnswers_AllocateNothing|TestBroker$)'
export CGO_ENABLED=1 # which the detector needs
export GOFLAGS="${GOFLAGS:-} -vet=off" # check.sh vets all of it
packages() {
  beside='(^[[:space:]]*|[{] )go [a-z]|\.Go\(|AfterFunc\(|chan |httptest\.New[A-Za-z]*Server|t\.Parallel'
  packages=
  while read -r package folder; do
    case $package in almenara/storage/alert | almenara/storage/alert/cap* | almenara/storage/alert/check | almenara/storage/alert/tokens | almenara/cluster | almenara/node) continue ;; esac
    if grep -qE "$beside" "$folder"/*.go; then packages="$packages $package"; fi
  done < <(go list -f '{{.ImportPath}} {{.Dir}}' ./...)
  go test -race -skip "$computes" $packages
}

# Of whole nodes those stories in which nodes, devices and people act at the same time; what else is told
# of them asks one node one thing after the other, on the same ways.
together='^(TestDistrict|TestAuthority|TestHostile_Receipt|TestSplits|TestApprovals_InASplit|TestStop|TestTexts_OfTwoHalves|TestLarge_IsShown|TestLarge_TheOthers|TestNode_|TestEnrol_OneDevice|TestJoin_|TestRemoveNode|TestReceipts|TestWhereabouts|TestStrangers|TestBudgets|TestImport_Tells|TestRecover_Quarantined|TestRestore_Begins)'
raft() {
  go test -race -skip "$computes" ./cluster
  go test -race -run "$together" -skip "$computes" -parallel 3 -timeout 20m ./node
}

case ${1:-all} in
raft | packages) "$1" ;;
all)
  packages
  raft
  ;;
*) echo "race.sh runs raft, packages, or all"; exit 2 ;;
esac
