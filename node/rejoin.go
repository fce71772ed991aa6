package node

const rejoiningFile = "rejoining"
