# The targets that users link; what stands behind each is private to this project.
#
#   cfd::cfd      everything: call, take pushes, pull
#   cfd::worker   take pushes only; links no gRPC (src/worker)
#   cfd::stores   with cfd::worker: remembers executed calls in SQLite or Redis (src/stores)
#   cfd::auth     with cfd::worker: verifies the tokens of pushes, and signatures of messages (src/auth)
#   cfd::testing  for unit tests, without a network
#   cfd::testing_pubsub  a Pub/Sub server within a test program

add_library(cfd_everything INTERFACE)
add_library(cfd::cfd ALIAS cfd_everything)
set_target_properties(cfd_everything PROPERTIES EXPORT_NAME cfd)
foreach(folder worker caller pubsub stores auth)
  if(TARGET cfd_${folder})
    target_link_libraries(cfd_everything INTERFACE cfd_${folder})
  endif()
endforeach()

add_library(cfd_testing INTERFACE)
add_library(cfd::testing ALIAS cfd_testing)
set_target_properties(cfd_testing PROPERTIES EXPORT_NAME testing)
target_link_libraries(cfd_testing INTERFACE cfd_in_memory)

if(TARGET cfd_emulator)
  add_library(cfd_testing_pubsub INTERFACE)
  add_library(cfd::testing_pubsub ALIAS cfd_testing_pubsub)
  set_target_properties(cfd_testing_pubsub PROPERTIES EXPORT_NAME testing_pubsub)
  target_link_libraries(cfd_testing_pubsub INTERFACE cfd_emulator)
  set_property(GLOBAL APPEND PROPERTY CFD_LIBRARIES cfd_testing_pubsub)
endif()
