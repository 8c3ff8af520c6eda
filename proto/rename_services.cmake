# Gives the services in a generated *.grpc.pb.cc their names on the wire: "/cfd.pubsub.v1.Publisher/Publish" becomes
# "/google.pubsub.v1.Publisher/Publish". Fails where there is nothing to rename, so that a change in the generator's
# output is seen here and not by a client that gets UNIMPLEMENTED.
file(READ ${FILE} content)
string(FIND "${content}" "\"/cfd." found)
if(found EQUAL -1)
  message(FATAL_ERROR "no method names of package cfd.* in ${FILE}: has grpc_cpp_plugin changed its output?")
endif()
string(REPLACE "\"/cfd." "\"/google." content "${content}")
file(WRITE ${FILE} "${content}")
